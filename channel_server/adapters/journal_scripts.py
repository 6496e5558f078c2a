"""What channel servers do to the journal: scripts, so that each is one step for everybody.

``publisher.contract.journal`` has the keys, the layout of entries, and the beginning of every
script; ``tests/integration/test_journal_scripts.py`` runs them on a real Redis.
"""

from __future__ import annotations

from typing import Final

from channel_server.adapters.script import Script
from publisher.contract.journal import COMMON, GAP

APPEND: Final = Script(f"""{COMMON}
-- KEYS[3]: lease. ARGV: lease value, name for a new epoch, then kind, channel, data of each entry.
-- A kind, channel, data of 'g', '', '' is a gap.
-- Returns the id of the last one, or 0 if the lease is not the caller's (any more): then nothing
-- was appended.
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
ensure(ARGV[2])
local id
for i = 3, #ARGV, 3 do id = add(ARGV[i], ARGV[i + 1], ARGV[i + 2]) end
trim()
return id
""")

ADMIT_GAP: Final = Script(f"""{COMMON}
-- ARGV: name for a new epoch. Appends a gap; any node may.
ensure(ARGV[1])
return add('{GAP}', '', '')
""")

TICK: Final = Script(f"""{COMMON}
-- KEYS[3]: lease, KEYS[4]: nodes. ARGV: lease value, name for a new epoch, lease in ms, 'watch',
-- 'take' or 'force',
-- window in s, entries, bytes, the node's name, from who holds the lease, up to when it has
-- heard and appended everything, in microseconds, or '', and a secret, if there is none yet.
-- Returns epoch, trimmed, last id, 'other', 'free', 'mine' or 'taken', covered, the time in ms, the
-- secret, the number of nodes that live, and the bounds that were found.
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)

-- First what makes room: out of memory, Redis lets a script write that has begun by trimming.
if redis.call('EXISTS', state) == 1 and redis.call('EXISTS', journal) == 1 then
  local oldest = string.format('%.0f', math.max(0, now_ms - ARGV[5] * 1000))
  for _ = 1, 10 do
    local old = redis.call('XRANGE', journal, '-', oldest, 'COUNT', 100)
    local count = math.min(#old, redis.call('XLEN', journal) - 1)
    if count < 1 then break end
    drop(count)
  end
  shrink(tonumber(ARGV[6]), tonumber(ARGV[7]))
end
local others = redis.call('HMGET', state, 'window', 'entries', 'max_bytes')
redis.call('HSET', state, 'window', ARGV[5], 'entries', ARGV[6], 'max_bytes', ARGV[7])
local epoch = ensure(ARGV[2])
redis.call('HSETNX', state, 'secret', ARGV[10])

-- A lease of an earlier connection of this node is free to take.
local function is_ours(holder) return string.sub(holder, 1, #ARGV[8] + 1) == ARGV[8] .. ':' end

local lease = KEYS[3]
local holder = redis.call('GET', lease)
local role = holder and 'other' or 'free'
if holder == ARGV[1] then
  role = 'mine'
  redis.call('PEXPIRE', lease, ARGV[3])
  if ARGV[9] ~= '' then redis.call('HSET', state, 'covered', ARGV[9]) end
elseif ARGV[4] == 'force' or (ARGV[4] == 'take' and (not holder or is_ours(holder))) then
  role = 'taken'
  redis.call('SET', lease, ARGV[1], 'PX', ARGV[3])
end

redis.call('ZADD', KEYS[4], now_ms, ARGV[8])
redis.call('ZREMRANGEBYSCORE', KEYS[4], '-inf', string.format('%.0f', now_ms - ARGV[3]))
redis.call('PEXPIRE', KEYS[4], ARGV[3])
keep()

local last, about = '0-0', redis.call('XINFO', 'STREAM', journal)
for i = 1, #about, 2 do
  if about[i] == 'last-generated-id' then last = about[i + 1] end
end
local known = redis.call('HMGET', state, 'trimmed', 'covered', 'secret')
return {{epoch, known[1], last, role, known[2] or '', string.format('%.0f', now_ms),
  known[3], redis.call('ZCARD', KEYS[4]), others}}
""")

BEGIN: Final = Script(f"""{COMMON}
-- ARGV: the epoch that ends, name of the new one. Returns 1 if it was still the current one.
if ensure(ARGV[2]) ~= ARGV[1] then return 0 end
begin(ARGV[2])
return 1
""")

RELEASE: Final = Script(f"""{COMMON}
-- KEYS[3]: lease, KEYS[4]: nodes. ARGV: lease value, covered or '', name of the node if it goes
-- away, else ''. Gives the lease back.
redis.call('ZREM', KEYS[4], ARGV[3])
if redis.call('GET', KEYS[3]) ~= ARGV[1] then return 0 end
if ARGV[2] ~= '' then redis.call('HSET', state, 'covered', ARGV[2]) end
return redis.call('DEL', KEYS[3])
""")
