"""What is done to channel tokens in one step: Lua scripts, made as those of ``publisher.scripts``."""

from __future__ import annotations

from typing import Final

from publisher.contract import CURRENT_USERS
from publisher.contract.journal import COMMON, TOKENS_SPARE_S
from publisher.scripts import BEGINNING, LOST, Script

_PERSISTENT_S: Final = 30 * 24 * 60 * 60
"""Life of the set of a user's tokens if one of them lives for ever; every issue renews it."""

_REMEMBER: Final = f"""
-- Note a token of a user, and for how long at least.
local function remember(known, token, seconds)
  local life = seconds == '' and {_PERSISTENT_S} or seconds + {TOKENS_SPARE_S}
  redis.call('SADD', known, token)
  if redis.call('TTL', known) < life then redis.call('EXPIRE', known, life) end
end
"""

_NOTE: Final = f"""{_REMEMBER}
-- KEYS: tokens of the user. ARGV: token, seconds or ''. Returns some tokens that may be gone.
local some = redis.call('SRANDMEMBER', KEYS[1], 3)
remember(KEYS[1], ARGV[1], ARGV[2])
return some
"""

_ISSUE: Final = f"""{COMMON}{_REMEMBER}
-- KEYS[4]: tokens of the user, KEYS[5]: key of the token. ARGV[5]: token, [6]: user, [7]: seconds
-- or ''.
local known = KEYS[4]
if ARGV[7] == '' then
  redis.call('SET', KEYS[5], ARGV[6])
else
  redis.call('SET', KEYS[5], ARGV[6], 'EX', ARGV[7])
end
-- Forget some of those that are gone: the set does not grow with the page loads.
for _, token in ipairs(redis.call('SRANDMEMBER', known, 3)) do
  if redis.call('EXISTS', '{CURRENT_USERS}' .. token) == 0 then redis.call('SREM', known, token) end
end
remember(known, ARGV[5], ARGV[7])
return 1
"""

_REVOKE: Final = f"""{BEGINNING}
-- KEYS[4]: key of the token. Returns whether it was known.
local count = redis.call('DEL', KEYS[4])
if publish() == {LOST} then return done({LOST}) end
return done(count)
"""

_IS_THEIRS: Final = """
-- Whether a stored user is the one with this id: the number 7 and the text 7 are the same. Numbers
-- are compared as numbers: they are doubles here, which cannot be written exactly.
local function is_theirs(user, id)
  if type(user.id) ~= 'number' then return user.id == id end
  local is_number = id == '0' or string.find(id, '^%-?[1-9]%d*$')
  return is_number and user.id == tonumber(id)
end

-- Forget a token of a user. Issued to somebody else meanwhile, it is not this user's any more.
-- Returns 1 if it was known.
local function forget(key, id)
  local is_json, user = pcall(cjson.decode, redis.pcall('GET', key))
  if is_json and type(user) == 'table' and not is_theirs(user, id) then return 0 end
  return redis.call('DEL', key)
end

-- Write other groups into the record of a token, which keeps the time it has left. Returns 1 if it
-- was this user's, 0 if not, -1 if it is gone.
local function regroup(key, id, groups)
  local stored = redis.pcall('GET', key)
  if not stored then return -1 end
  local is_json, user = pcall(cjson.decode, stored)
  if not is_json then
    -- Not to be read here, and it may name old groups: the next page load stores it anew.
    redis.call('DEL', key)
    return 0
  end
  if type(user) ~= 'table' or not is_theirs(user, id) then return 0 end
  local written = type(user.id) == 'number' and id or '"' .. id .. '"'
  local record = '{"name":' .. cjson.encode(user.name) .. ',"group_ids":' .. groups ..
    ',"id":' .. written .. '}'
  local left = redis.call('PTTL', key)
  if left > 0 then
    redis.call('SET', key, record, 'PX', left)
  else
    redis.call('SET', key, record)
  end
  return 1
end
"""

_FORGET: Final = f"""{_IS_THEIRS}
-- KEYS: key of a token. ARGV: user id.
return forget(KEYS[1], ARGV[1])
"""

_REGROUP: Final = f"""{_IS_THEIRS}
-- KEYS: key of a token. ARGV: user id, group ids as JSON.
return regroup(KEYS[1], ARGV[1], ARGV[2])
"""

_REVOKE_USER: Final = f"""{BEGINNING}{_IS_THEIRS}
-- KEYS[4]: tokens of the user. ARGV[5]: user id. Returns how many were known.
local count = 0
for _, token in ipairs(redis.call('SMEMBERS', KEYS[4])) do
  count = count + forget('{CURRENT_USERS}' .. token, ARGV[5])
end
redis.call('DEL', KEYS[4])
if publish() == {LOST} then return done({LOST}) end
return done(count)
"""

_REPLACE_GROUPS: Final = f"""{BEGINNING}{_IS_THEIRS}
-- KEYS[4]: tokens of the user. ARGV[5]: user id, [6]: group ids as JSON. Returns how many records
-- were rewritten, each with the time it has left.
local count = 0
for _, token in ipairs(redis.call('SMEMBERS', KEYS[4])) do
  local found = regroup('{CURRENT_USERS}' .. token, ARGV[5], ARGV[6])
  if found == 1 then
    count = count + 1
  elseif found == -1 then
    redis.call('SREM', KEYS[4], token)
  end
end
if publish() == {LOST} then return done({LOST}) end
return done(count)
"""

ISSUE: Final = Script(_ISSUE)
REVOKE: Final = Script(_REVOKE)
REVOKE_USER: Final = Script(_REVOKE_USER)
REPLACE_GROUPS: Final = Script(_REPLACE_GROUPS)

NOTE: Final = Script(_NOTE)
FORGET: Final = Script(_FORGET)
REGROUP: Final = Script(_REGROUP)
"""For a cluster, where the keys of tokens are elsewhere: each has one key."""
