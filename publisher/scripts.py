"""What a publisher does to Redis in one step: Lua scripts.

``publisher.contract.journal`` has the keys and the beginning of every script. The first four keys
and five arguments are the same for all, so that each can publish and be repeated:

- ``KEYS``: stream, state, ``sent:<message id>``, then the script's own;
- ``ARGV``: Redis channel, payload, name for a new epoch, ``1`` to append to the journal, then the
  script's own.

A repetition with the same message id does nothing and returns what the first time has returned.
What a script returns if its message was neither kept nor heard is LOST. Where Redis refuses PUBLISH
the result comes in a list, with the error behind it: what was kept is delivered all the same.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from publisher.contract.journal import COMMON, LIBRARY, MARK

LOST: Final = -1
"""Instead of a number of subscribers: nobody heard the message, and it could not be kept."""

FOR_NOBODY: Final = '{"room":null'
"""How a message begins that names no room: it reaches no client, so it is not kept."""

_LEAVE_A_REPLICA: Final = """
-- A write that changes nothing: a replica refuses it, and would publish to its own subscribers only.
-- Where memory is short it is refused like those that follow, and publishing goes on. (DEL would not
-- be: and after a first write, Redis without memory lets a script write on.)
local function write_nothing(call) return call('SET', KEYS[3], '', 'XX') end
local refusal = write_nothing(redis.pcall)
if type(refusal) == 'table' and string.find(refusal.err or '', 'READONLY', 1, true) then
  write_nothing(redis.call)
end
"""

_ANNOUNCE: Final = f"""
-- The first error after which a script went on.
local refusal

local function try(step, ...)
  local is_done, result = pcall(step, ...)
  if is_done then return result end
  refusal = refusal or type(result) == 'table' and result.err or result
end

local function store(channel, payload)
  -- What is too large is published plainly: a channel server will admit a gap.
  if not fits(payload) then return false end
  ensure(ARGV[3])
  add('{LIBRARY}', channel, payload)
  return true
end

-- Returns how many subscribers heard it; {LOST} if nobody did, and it could not be kept either.
local function announce(channel, payload, is_wanted)
  local is_kept = is_wanted and try(store, channel, payload)
  local heard = redis.pcall('PUBLISH', channel, is_kept and payload .. '{MARK.decode()}' or payload)
  if type(heard) == 'table' then
    refusal = refusal or heard.err
    heard = 0
    is_wanted = string.sub(payload, 1, {len(FOR_NOBODY)}) ~= '{FOR_NOBODY}'
  end
  return (is_wanted and not is_kept and heard == 0) and {LOST} or heard
end

local function trim_and_keep()
  if ARGV[4] == '1' then
    try(trim)
    try(keep)
  end
end

local function done(result)
  local stored = refusal and result .. '\\n' .. refusal or result
  redis.pcall('SET', KEYS[3], stored, 'EX', 60)
  return refusal and {{result, refusal}} or result
end
"""

_DONE_BEFORE: Final = """
local before = redis.call('GET', KEYS[3])
if before then
  local result, refusal = string.match(before, '^([^\\n]*)\\n(.*)$')
  if refusal then return {tonumber(result) or result, refusal} end
  return tonumber(before) or before
end
"""

BEGINNING: Final = f"""{COMMON}
local channel, payload = ARGV[1], ARGV[2]
{_DONE_BEFORE}
{_LEAVE_A_REPLICA}
{_ANNOUNCE}
local function publish()
  local heard = announce(channel, payload, ARGV[4] == '1')
  trim_and_keep()
  return heard
end
"""
"""Beginning of a script that publishes at most once."""

_PUBLISH: Final = f"""{BEGINNING}
-- Returns how many subscribers heard it, {LOST} if it is lost.
return done(publish())
"""

_PUBLISH_BATCH: Final = f"""{COMMON}
-- ARGV[5], [6], [7], [8], ...: channel and payload of each message; [1] and [2] are not used.
-- Returns how many heard each of them, separated by commas; {LOST} for what is lost.
{_DONE_BEFORE}
{_LEAVE_A_REPLICA}{_ANNOUNCE}
local heard = {{}}
for i = 5, #ARGV, 2 do
  local channel, payload = ARGV[i], ARGV[i + 1]
  local is_wanted = ARGV[4] == '1' and string.sub(payload, 1, {len(FOR_NOBODY)}) ~= '{FOR_NOBODY}'
  heard[#heard + 1] = announce(channel, payload, is_wanted)
end
trim_and_keep()
return done(table.concat(heard, ','))
"""


@dataclass(frozen=True, slots=True)
class Script:
    """A script, and the name under which Redis keeps it once it has run.

    Attributes:
        source: Lua.
        sha1: The name.
    """

    source: str = field(repr=False)
    sha1: str = field(init=False)

    def __post_init__(self) -> None:
        # Redis' choice; nothing is protected by it.
        sha1 = hashlib.sha1(self.source.encode(), usedforsecurity=False).hexdigest()
        object.__setattr__(self, "sha1", sha1)


PUBLISH: Final = Script(_PUBLISH)
PUBLISH_BATCH: Final = Script(_PUBLISH_BATCH)
