-- Holds for each of some buyers, one after another, all that is asked for or nothing. `wants` offers alternatives, the
-- first that is wholly free is taken. With `order` the hold is pinned at once: it ends only with that order.
-- KEYS state active granting left next spare places accounts holds hold_ends pinned holding
-- ARGV epoch run_id asks
-- asks is JSON [{account, jti, hold, order?, wants, rows?}, …]; wants is [[[unit, quantity], …], …] of at most 50 places
-- each; rows is, where no single seat may be left alone, [[first unit, last unit], …] of all rows they lie in.
-- returns for each ask the hold as JSON {account, places, expires, order?} or {TAKEN, units of the first alternative that
-- lack places} or {LEFT_ALONE, seats that the first one that is free would leave alone} or a failure; or a failure of all
-- publishes units
-- @include ../../sale-state/lua/guard.lua
-- @include ../../queue/lua/active.lua
-- @include places.lua
local now, failure = guard()
if not now then return failure end
local s = redis.call('HMGET', state_key, 'status', 'hold_ttl_ms', 'max_per_account')
local is_closed, expires, max_per_account = s[1] == 'closed', whole(now + tonumber(s[2])), tonumber(s[3])

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
local function left_alone(alternative, rows)
  local wanted, alone = {}, {}
  for _, want in ipairs(alternative) do wanted[want[1]] = true end
  for _, row in ipairs(rows) do
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

-- the first alternative that may be taken, or nil and why none may
local function choose(ask)
  local first_lack, first_alone
  for _, alternative in ipairs(ask.wants) do
    local lack = lacking(alternative)
    if #lack == 0 then
      local alone = left_alone(alternative, ask.rows or {})
      if #alone == 0 then return alternative end
      first_alone = first_alone or alone
    end
    first_lack = first_lack or lack
  end
  if first_alone then return nil, { LEFT_ALONE, first_alone } end
  return nil, { TAKEN, first_lack or {} }
end

local function keep(ask, places)
  local hold, order = ask.hold, ask.order
  local record =
    cjson.encode({ account = ask.account, places = places, expires = tonumber(expires), order = order })
  redis.call('HSET', holds_key, hold, record)
  if order then
    redis.call('ZADD', pinned_key, whole(now), hold)
  else
    redis.call('ZADD', hold_ends_key, expires, hold)
  end
  local held = redis.call('HGET', holding_key, ask.account)
  redis.call('HSET', holding_key, ask.account, held and held .. ',' .. hold or hold)
  return record
end

local function take(ask)
  local account = ask.account
  local before = redis.call('HGET', holds_key, ask.hold)
  if before then return cjson.decode(before).account == account and before or NO_HOLD end

  local open = admission(account)
  local valid = open and open.sequence == ask.jti and open.expires_ms > now
  if not valid or redis.call('HEXISTS', granting_key, account) == 1 then return NO_ADMISSION end
  if is_closed then return CLOSED end

  local chosen, why = choose(ask)
  if not chosen then return why end
  local nths, count = mask_of(account)
  for _, want in ipairs(chosen) do count = count + want[2] end
  if count > max_per_account then return LIMIT end

  local owner = ask.order and 'p:' .. ask.order or 'h:' .. ask.hold
  local places, nth = {}, 1
  for _, want in ipairs(chosen) do
    for _ = 1, want[2] do
      while nths[nth] do nth = nth + 1 end
      nths[nth] = true
      local ordinal = next_ordinal(want[1])
      occupy(want[1], ordinal, owner, HELD)
      places[#places + 1] = { want[1], tonumber(ordinal), nth }
    end
  end
  keep_mask(account, nths)
  return keep(ask, places)
end

local answers = {}
for index, ask in ipairs(cjson.decode(asks)) do answers[index] = take(ask) end
tell_units()
return answers
