"""What channel servers do to the outbox: scripts, so that each is one step for everybody.

Every key has one hash tag and expires when no channel server runs; all commands are known since
Redis 5.0.

====================================  ======================================================
``{channel_server}:outbox``           stream: messages that wait to be sent, ``c`` (channel) and
                                      ``d`` (payload); the payload contains an access token
``{channel_server}:outbox:state``     hash: ``bytes`` of the payloads that wait
``{channel_server}:outbox:lease``     string: which channel server sends
``{channel_server}:outbox:heard:<h>`` hash: who has heard the words with this digest, how often
====================================  ======================================================

Every channel server hears every message, and each of them records it: whoever comes first adds it
to the outbox. Messages have no ids. The same words, heard as often by two, are the same messages;
heard once more by one of them, they are a new one.
"""

from __future__ import annotations

from typing import Final

from channel_server.adapters.script import Script

OUTBOX: Final = "{channel_server}:outbox"
STATE: Final = "{channel_server}:outbox:state"
LEASE: Final = "{channel_server}:outbox:lease"
HEARD: Final = "{channel_server}:outbox:heard:"

RECORD: Final = Script("""
-- KEYS: outbox, state, what is known of these words. ARGV: the listener (name of the node, a colon,
-- number of its subscription), number of this message among all that it has heard, since when it
-- listens (ms), channel, payload, how long all of this is kept (s), entries, bytes.
-- Returns 'new', 'known', or 'full': then it was dropped, for everybody.
local outbox, state, words = KEYS[1], KEYS[2], KEYS[3]
local listener, number, since = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local node = string.match(listener, '(.*):')
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local times = tonumber(redis.call('HGET', words, 'times')) or 0

local last, heard = 0, nil
local mine = redis.call('HGET', words, 'by:' .. listener)
if mine then
  last, heard = string.match(mine, '(%d+):(%d+)')
  last, heard = tonumber(last), tonumber(heard)
else
  -- What others have recorded since it began to listen, it has yet to hear. What its own node has,
  -- an earlier subscription of it has heard.
  heard = times
  for i = times, math.max(1, times - 99), -1 do
    local at, by = string.match(redis.call('HGET', words, 'at:' .. i) or '', '(%d+):(.*)')
    if not at or tonumber(at) < since then break end
    if by ~= node then heard = heard - 1 end
  end
end
if number <= last then return 'known' end  -- asked again: the answer was lost
heard = heard + 1
redis.call('HSET', words, 'by:' .. listener, string.format('%.0f:%.0f', number, heard))
redis.call('EXPIRE', words, ARGV[6])
if heard <= times then return 'known' end

local at = string.format('%.0f:%s', now_ms, node)
redis.call('HSET', words, 'times', heard, 'at:' .. heard, at)
redis.call('HDEL', words, 'at:' .. (heard - 100))
local bytes = tonumber(redis.call('HGET', state, 'bytes')) or 0
if redis.call('XLEN', outbox) >= tonumber(ARGV[7]) or bytes + #ARGV[5] > tonumber(ARGV[8]) then
  return 'full'
end
redis.call('XADD', outbox, '*', 'c', ARGV[4], 'd', ARGV[5])
redis.call('HINCRBY', state, 'bytes', #ARGV[5])
redis.call('EXPIRE', outbox, ARGV[6])
redis.call('EXPIRE', state, ARGV[6])
return 'new'
""")

TICK: Final = Script("""
-- KEYS: outbox, state, lease. ARGV: name of the node, lease (ms), how long the outbox is kept (s).
-- Takes or renews the lease. Returns 1 if it is the caller's, the time in ms, and how many wait.
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('EXPIRE', KEYS[2], ARGV[3])
local holder = redis.call('GET', KEYS[3])
local is_mine = 0
if not holder or holder == ARGV[1] then
  redis.call('SET', KEYS[3], ARGV[1], 'PX', ARGV[2])
  is_mine = 1
end
local now = redis.call('TIME')
local now_ms = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))
return {is_mine, now_ms, redis.call('XLEN', KEYS[1])}
""")

DONE: Final = Script("""
-- KEYS: outbox, state. ARGV: id of an entry. Deletes it.
local entry = redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1])[1]
if not entry then return 0 end
redis.call('XDEL', KEYS[1], ARGV[1])
if redis.call('XLEN', KEYS[1]) == 0 then
  redis.call('DEL', KEYS[2])
else
  redis.call('HINCRBY', KEYS[2], 'bytes', -#(entry[2][4] or ''))
end
return 1
""")

RELEASE: Final = Script("""
-- KEYS: lease. ARGV: name of the node. Gives the lease back.
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
""")
