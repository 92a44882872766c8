-- Holds all that is asked for or nothing. `wants` offers alternatives, the first that is wholly free is taken.
-- KEYS state active granting left next spare places accounts holds hold_ends pinned holding
-- ARGV epoch run_id account jti hold wants rows
-- wants is JSON [[[unit, quantity], …], …] of at most 50 places each; rows is '' or, where no single seat may be left
-- alone, JSON [[first unit, last unit], …] of all rows they lie in.
-- returns hold as JSON {account, places, expires} or {TAKEN, units of the first alternative that lack places}
-- or {LEFT_ALONE, seats that the first one that is free would leave alone} or a failure
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

-- Seats that a choice would leave alone in their runs of free seats, more than it must: of a run that is one longer
-- than what is chosen of it, one is left whatever is chosen.
local function left_alone(alternative)
  local wanted, alone = {}, {}
  for _, want in ipairs(alternative) do wanted[want[1]] = true end
  for _, row in ipairs(rows == '' and {} or cjson.decode(rows)) do
    local units = {}
    for unit = row[1], row[2] do units[#units + 1] = unit end
    local left = redis.call('HMGET', left_key, unpack(units))
    local length, chosen, gap, singles = 0, 0, 0, {}
    for index = 1, #units + 1 do
      local is_free = tonumber(left[index] or '0') > 0
      local is_wanted = is_free and wanted[units[index]]
      if gap == 1 and (not is_free or is_wanted) then singles[#singles + 1] = units[index - 1] end
      gap = is_free and not is_wanted and gap + 1 or 0
      if is_free then
        length = length + 1
        if is_wanted then chosen = chosen + 1 end
      else
        if chosen > 0 and length - chosen > 1 then
          for _, single in ipairs(singles) do alone[#alone + 1] = single end
        end
        length, chosen, singles = 0, 0, {}
      end
    end
  end
  return alone
end

local chosen, first_lack, first_alone
for _, alternative in ipairs(cjson.decode(wants)) do
  local lack = lacking(alternative)
  if #lack == 0 then
    local alone = left_alone(alternative)
    if #alone == 0 then
      chosen = alternative
      break
    end
    first_alone = first_alone or alone
  end
  first_lack = first_lack or lack
end
if not chosen and first_alone then return { LEFT_ALONE, first_alone } end
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
