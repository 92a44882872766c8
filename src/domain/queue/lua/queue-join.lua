-- Gives each of some accounts its place in the line, one after another, or says which one it has.
-- KEYS state queue gone moves seen aside aside_places active granting bought
-- ARGV epoch run_id accounts
-- accounts is JSON [account, …]
-- returns for each {created 0|1, sequence, rank, waiting} or {admitted 2, sequence, expires_ms, admitted_ms} or a failure;
-- or a failure of all
-- publishes wake when the line was empty or somebody came back to it
-- @include ../../sale-state/lua/guard.lua
-- @include active.lua
-- @include line.lua
-- @include presence.lua
local now, failure = guard()
if not now then return failure end
local s = redis.call('HMGET', state_key, 'status', 'max_per_account', 'rate', 'grace_ms')
local status, max_per_account, near_ms = s[1], tonumber(s[2]), 2 * s[4] * s[3]

-- Only near the front it matters who is there: within twice the grace.
local function note_presence(account, rank)
  if rank * 60000 < near_ms then redis.call('ZADD', seen_key, now, account) end
end

local function join(account)
  local open = admission(account)
  if open and redis.call('HEXISTS', granting_key, account) == 1 then
    return { 0, open.sequence, 0, redis.call('ZCARD', queue_key) }
  end
  if open and open.expires_ms > now then
    return { 2, open.sequence, whole(open.expires_ms), open.admitted_ms }
  end

  local sequence = redis.call('ZSCORE', queue_key, account)
  if not sequence then
    sequence = come_back(account)
    if sequence then publish('wake', 'back') end
  end
  if sequence then
    local rank = redis.call('ZRANK', queue_key, account)
    note_presence(account, rank)
    return { 0, whole(tonumber(sequence)), rank, redis.call('ZCARD', queue_key) }
  end

  if status == 'scheduled' or status == 'draft' then return OPENED_LATER end
  if status == 'closed' then return CLOSED end
  -- Whoever has all that an account may have would only stand in the way of the others.
  local bought = redis.call('HGET', bought_key, account)
  if bought and tonumber(bought) >= max_per_account then return LIMIT end

  sequence = whole(epoch * 4294967296 + redis.call('HINCRBY', state_key, 'n', 1))
  redis.call('ZADD', queue_key, sequence, account)
  local waiting = redis.call('ZCARD', queue_key)
  note_presence(account, waiting)
  if waiting == 1 then publish('wake', 'join') end
  return { 1, sequence, waiting - 1, waiting }
end

local answers = {}
for index, account in ipairs(cjson.decode(accounts)) do answers[index] = join(account) end
return answers
