"""The journal that publishers and channel servers share: one Redis Stream, and what belongs to it.

Every key has one hash tag, every key expires when nobody refreshes it, and no other key of that
Redis is touched by the scripts below. They use only commands that Redis knows since 5.0.

====================================  ======================================================
``{channel_server}:journal``          stream; its ids, behind the epoch, are the offsets
``{channel_server}:state``            hash: ``epoch``, ``trimmed``, ``bytes``, ``count``,
                                      ``covered``, and the bounds ``window``, ``entries``,
                                      ``max_bytes``
``{channel_server}:lease``            string: which node appends what was published plainly
``{channel_server}:nodes``            sorted set: channel servers, by their last sign of life in ms
``{channel_server}:sent:<id>``        string: this message was appended already (60 s)
``{channel_server}:tokens:<user>``    set: channel tokens that were issued to a user
====================================  ======================================================

An entry has the fields ``k`` (kind), ``c`` (channel), ``d`` (data) and ``n`` (number: one more than
that of the entry before it, so that a reader knows when it has missed one). The kinds:

- ``p``: published plainly, appended by the recording node; ``d`` is the payload;
- ``l``: published with this library; ``d`` is the payload;
- ``g``: a gap: before this entry, messages may be missing;
- ``b``: an epoch begins; ``d`` is its name.

Who reads an entry of another kind, of a newer version, skips it.
"""

from __future__ import annotations

from typing import Final

JOURNAL: Final = "{channel_server}:journal"
STATE: Final = "{channel_server}:state"
LEASE: Final = "{channel_server}:lease"
NODES: Final = "{channel_server}:nodes"
SENT: Final = "{channel_server}:sent:"
TOKENS: Final = "{channel_server}:tokens:"
NONE: Final = "{channel_server}:none"
"""A key that nobody writes: to delete it tells whether this Redis can be written."""

PROBE: Final = "{channel_server}:probe:"
"""Redis channel on which a node hears itself; the node's name follows."""

MARK: Final = b" \t "
"""Behind the published copy of a message that is in the stream already: JSON white space."""

PLAIN: Final = "p"
LIBRARY: Final = "l"
GAP: Final = "g"
BEGIN: Final = "b"

TOKENS_SPARE_S: Final = 24 * 60 * 60
"""The set of a user's tokens outlives the tokens by this long."""

WINDOW_S: Final = 30 * 60
ENTRIES: Final = 100_000
MAX_BYTES: Final = 64 * 1024 * 1024
"""Bounds until a channel server has written its own beside the stream."""

MAX_MESSAGE_BYTES: Final = 8 * 1024 * 1024
"""A publisher refuses a larger message, and a server does not keep one, unless told otherwise."""

SHARE: Final = 4
"""A message gets this part of the journal at most: it must not push out all the others."""

COMMON: Final = f"""
local journal, state = KEYS[1], KEYS[2]
local overhead = 100

-- The number counts as overhead.
local function size_of(entry)
  local fields, size = entry[2], overhead
  for i = 2, math.min(#fields, 6), 2 do size = size + #fields[i] end
  return size
end

local function bounds()
  local set = redis.call('HMGET', state, 'window', 'entries', 'max_bytes')
  return tonumber(set[1]) or {WINDOW_S}, tonumber(set[2]) or {ENTRIES},
    tonumber(set[3]) or {MAX_BYTES}
end

local function keep()
  local seconds = bounds() + 3600
  redis.call('EXPIRE', journal, seconds)
  redis.call('EXPIRE', state, seconds)
end

local function add(kind, channel, data)
  local number = redis.call('HINCRBY', state, 'count', 1)
  local id = redis.call('XADD', journal, '*', 'k', kind, 'c', channel, 'd', data, 'n', number)
  redis.call('HINCRBY', state, 'bytes', overhead + #kind + #channel + #data)
  return id
end

-- Drop the oldest entries, never the newest: somebody has yet to read it.
local function drop(count)
  local head = redis.call('XRANGE', journal, '-', '+', 'COUNT', count)
  local size = 0
  for _, entry in ipairs(head) do size = size + size_of(entry) end
  redis.call('XTRIM', journal, 'MAXLEN', redis.call('XLEN', journal) - #head)
  redis.call('HSET', state, 'trimmed', head[#head][1])
  return redis.call('HINCRBY', state, 'bytes', -size)
end

-- A thousand entries at most, about 3 ms: the rest goes with what is appended next.
local function shrink(entries, max_bytes)
  local bytes = tonumber(redis.call('HGET', state, 'bytes')) or 0
  local length = redis.call('XLEN', journal)
  for _ = 1, 10 do
    if length <= 1 or (length <= entries and bytes <= max_bytes) then return end
    local by_size = math.floor((bytes - max_bytes) / bytes * length)
    local count = math.max(1, length - entries, by_size)
    bytes = drop(math.min(count, 100, length - 1))
    length = redis.call('XLEN', journal)
  end
end

local function fits(data)
  local _, _, max_bytes = bounds()
  return #data * {SHARE} <= max_bytes
end

local function trim()
  local _, entries, max_bytes = bounds()
  shrink(entries, max_bytes)
end

local function begin(epoch)
  redis.call('HSET', state, 'epoch', epoch, 'trimmed', '0-0')
  add('{BEGIN}', '', epoch)
end

-- The stream and its state live and die together: if one is gone, an epoch begins.
local function ensure(epoch)
  local current = redis.call('HGET', state, 'epoch')
  if current and redis.call('EXISTS', journal) == 1 then return current end
  local bytes = 0
  if redis.call('EXISTS', journal) == 1 then
    redis.call('XTRIM', journal, 'MAXLEN', 1000)
    local rest = redis.call('XRANGE', journal, '-', '+')
    for _, entry in ipairs(rest) do bytes = bytes + size_of(entry) end
  end
  redis.call('HSET', state, 'bytes', bytes)
  begin(epoch)
  keep()
  return epoch
end
"""
"""Beginning of every script: ``KEYS[1]`` is the stream, ``KEYS[2]`` its state."""
