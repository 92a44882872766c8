-- Holds all that is asked for or nothing. `wants` offers alternatives, the first that is wholly free is taken.
-- KEYS state active granting left next spare places accounts holds hold_ends pinned holding
-- ARGV epoch run_id account jti hold wants
-- wants is JSON [[[unit, quantity], …], …] of at most 50 places each.
-- returns hold as JSON {account, places, expires} or {TAKEN, units of the first alternative that lack places} or a failure
-- publishes units
-- @include ../../sale-state/lua/guard.lua
-- @include ../../queue/lua/active.lua
-- @include places.lua
local now, failure = guard()
if not now then return failure end

local before = redis.call('HGET', holds_key, hold)
if before then
  return cjson.decode(before).account == account and before or NO_HOLD
end

local open = admission(account)
local valid = open and open.sequence == jti and open.expires_ms > now
if not valid or redis.call('HEXISTS', granting_key, account) == 1 then return NO_ADMISSION end
local s = redis.call('HMGET', state_key, 'status', 'hold_ttl_ms', 'max_per_account')
if s[1] == 'closed' then return CLOSED end

local function lacking(alternative)
  local units = {}
  for index, want in ipairs(alternative) do units[index] = want[1] end
  local left = redis.call('HMGET', left_key, unpack(units))
  local without = {}
  for index, want in ipairs(alternative) do
    if not left[index] or tonumber(left[index]) < want[2] then without[#without + 1] = want[1] end
  end
  return without
end

local chosen, first_lack
for _, alternative in ipairs(cjson.decode(wants)) do
  local lack = lacking(alternative)
  if #lack == 0 then
    chosen = alternative
    break
  end
  first_lack = first_lack or lack
end
if not chosen then return { TAKEN, first_lack or {} } end

local nths, count = mask_of(account)
for _, want in ipairs(chosen) do count = count + want[2] end
if count > tonumber(s[3]) then return LIMIT end

local places, nth = {}, 1
for _, want in ipairs(chosen) do
  for _ = 1, want[2] do
    while nths[nth] do nth = nth + 1 end
    nths[nth] = true
    local ordinal = next_ordinal(want[1])
    occupy(want[1], ordinal, 'h:' .. hold, HELD)
    places[#places + 1] = { want[1], tonumber(ordinal), nth }
  end
end
keep_mask(account, nths)

local expires = whole(now + tonumber(s[2]))
local record = cjson.encode({ account = account, places = places, expires = tonumber(expires) })
redis.call('HSET', holds_key, hold, record)
redis.call('ZADD', hold_ends_key, expires, hold)
local held = redis.call('HGET', holding_key, account)
redis.call('HSET', holding_key, account, held and held .. ',' .. hold or hold)
tell_units()
return record
