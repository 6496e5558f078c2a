"""What a publisher does to Redis in one step: Lua scripts.

``publisher.contract.journal`` has the keys and the beginning of every script. The first four keys
and five arguments are the same for all, so that each can publish and be repeated:

- ``KEYS``: stream, state, ``sent:<message id>``, then the script's own;
- ``ARGV``: Redis channel, payload, name for a new epoch, ``1`` to append to the journal, then the
  script's own.

A repetition with the same message id does nothing and returns what the first time has returned.
What a script returns if its message was neither kept nor heard is LOST.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Final

from publisher.contract import CURRENT_USERS
from publisher.contract.journal import COMMON, LIBRARY, MARK, TOKENS_SPARE_S

LOST: Final = -1
"""Instead of a number of subscribers: nobody heard the message, and it could not be kept."""

FOR_NOBODY: Final = '{"room":null'
"""How a message begins that names no room: it reaches no client, so it is not kept."""

_PERSISTENT_S: Final = 30 * 24 * 60 * 60
"""Life of the set of a user's tokens if one of them lives for ever; every issue renews it."""

_ONLY_ON_A_PRIMARY: Final = """-- Nothing is there to delete. On a replica, which would publish and tell nobody, it is an error.
redis.call('DEL', KEYS[3])
"""

_BEGINNING: Final = f"""{COMMON}
local channel, payload = ARGV[1], ARGV[2]
local before = redis.call('GET', KEYS[3])
if before then return tonumber(before) end
{_ONLY_ON_A_PRIMARY}
local function publish()
  -- What is too large to be kept is published plainly: a channel server will admit a gap.
  local is_kept = ARGV[4] == '1' and pcall(function()
    assert(fits(payload))
    ensure(ARGV[3])
    add('{LIBRARY}', channel, payload)
    trim()
    keep()
  end)
  local heard = redis.call('PUBLISH', channel, is_kept and payload .. '{MARK.decode()}' or payload)
  -- Neither kept nor heard: it is lost, if it was to be kept.
  if ARGV[4] == '1' and not is_kept and heard == 0 then return {LOST} end
  return heard
end

local function done(result)
  redis.pcall('SET', KEYS[3], result, 'EX', 60)
  return result
end
"""

_PUBLISH: Final = f"""{_BEGINNING}
-- Returns how many subscribers heard it, {LOST} if it is lost.
return done(publish())
"""

_ISSUE: Final = f"""{COMMON}
-- KEYS[4]: tokens of the user, KEYS[5]: key of the token. ARGV[5]: token, [6]: user, [7]: seconds
-- or ''.
local known, life = KEYS[4], {_PERSISTENT_S}
if ARGV[7] == '' then
  redis.call('SET', KEYS[5], ARGV[6])
else
  redis.call('SET', KEYS[5], ARGV[6], 'EX', ARGV[7])
  life = ARGV[7] + {TOKENS_SPARE_S}
end
-- Forget some of those that are gone: the set does not grow with the page loads.
for _, token in ipairs(redis.call('SRANDMEMBER', known, 3)) do
  if redis.call('EXISTS', '{CURRENT_USERS}' .. token) == 0 then redis.call('SREM', known, token) end
end
redis.call('SADD', known, ARGV[5])
if redis.call('TTL', known) < life then redis.call('EXPIRE', known, life) end
return 1
"""

_REVOKE: Final = f"""{_BEGINNING}
-- KEYS[4]: key of the token. Returns whether it was known.
local count = redis.call('DEL', KEYS[4])
if publish() == {LOST} then return done({LOST}) end
return done(count)
"""

_IS_THEIRS: Final = """
-- Whether a stored user is the one with the id in ARGV[5]: the number 7 and the text 7 are the
-- same. Numbers are compared as numbers: they are doubles here, which cannot be written exactly.
local is_number = ARGV[5] == '0' or string.find(ARGV[5], '^%-?[1-9]%d*$')
local function is_theirs(user)
  if type(user.id) ~= 'number' then return user.id == ARGV[5] end
  return is_number and user.id == tonumber(ARGV[5])
end
"""

_REVOKE_USER: Final = f"""{_BEGINNING}{_IS_THEIRS}
-- KEYS[4]: tokens of the user. ARGV[5]: user id. Returns how many were known.
local count = 0
for _, token in ipairs(redis.call('SMEMBERS', KEYS[4])) do
  -- Issued to somebody else meanwhile, it is not this user's any more.
  local key = '{CURRENT_USERS}' .. token
  local is_json, user = pcall(cjson.decode, redis.pcall('GET', key))
  if not is_json or type(user) ~= 'table' or is_theirs(user) then
    count = count + redis.call('DEL', key)
  end
end
redis.call('DEL', KEYS[4])
if publish() == {LOST} then return done({LOST}) end
return done(count)
"""

_REPLACE_GROUPS: Final = f"""{_BEGINNING}{_IS_THEIRS}
-- KEYS[4]: tokens of the user. ARGV[5]: user id, [6]: group ids as JSON. Returns how many records
-- were rewritten, each with the time it has left.
local count = 0
for _, token in ipairs(redis.call('SMEMBERS', KEYS[4])) do
  local key = '{CURRENT_USERS}' .. token
  local stored = redis.pcall('GET', key)
  local is_json, user = pcall(cjson.decode, stored)
  if is_json and type(user) == 'table' and is_theirs(user) then
    local id = type(user.id) == 'number' and ARGV[5] or '"' .. ARGV[5] .. '"'
    local record = '{{"name":' .. cjson.encode(user.name) .. ',"group_ids":' .. ARGV[6] ..
      ',"id":' .. id .. '}}'
    local left = redis.call('PTTL', key)
    if left > 0 then
      redis.call('SET', key, record, 'PX', left)
    else
      redis.call('SET', key, record)
    end
    count = count + 1
  elseif not stored then
    redis.call('SREM', KEYS[4], token)
  elseif not is_json then
    -- Not to be read here, and it may name old groups: the next page load stores it anew.
    redis.call('DEL', key)
  end
end
if publish() == {LOST} then return done({LOST}) end
return done(count)
"""

_PUBLISH_BATCH: Final = f"""{COMMON}
-- ARGV[5], [6], [7], [8], ...: channel and payload of each message; [1] and [2] are not used.
-- Returns how many heard each of them, separated by commas; {LOST} for what is lost.
local before = redis.call('GET', KEYS[3])
if before then return before end
{_ONLY_ON_A_PRIMARY}local heard = {{}}
for i = 5, #ARGV, 2 do
  local channel, payload = ARGV[i], ARGV[i + 1]
  local is_wanted = ARGV[4] == '1' and string.sub(payload, 1, {len(FOR_NOBODY)}) ~= '{FOR_NOBODY}'
  local is_kept = is_wanted and pcall(function()
    assert(fits(payload))
    ensure(ARGV[3])
    add('{LIBRARY}', channel, payload)
  end)
  local count = redis.call('PUBLISH', channel, is_kept and payload .. '{MARK.decode()}' or payload)
  if is_wanted and not is_kept and count == 0 then count = {LOST} end
  heard[#heard + 1] = count
end
if ARGV[4] == '1' then
  pcall(function()
    trim()
    keep()
  end)
end
local result = table.concat(heard, ',')
redis.pcall('SET', KEYS[3], result, 'EX', 60)
return result
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
ISSUE: Final = Script(_ISSUE)
REVOKE: Final = Script(_REVOKE)
REVOKE_USER: Final = Script(_REVOKE_USER)
REPLACE_GROUPS: Final = Script(_REPLACE_GROUPS)
