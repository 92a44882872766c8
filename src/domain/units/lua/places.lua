-- Taking and giving back places. Needs guard.lua and the keys left, next, spare, places, accounts, holds, hold_ends,
-- pinned, holding. A place is {unit, ordinal, nth}: `nth` is the account's n-th place in the sale.
-- What a script changes is gathered in `changes` and told once, by tell_units, under one new revision.
local FREE, HELD, SOLD = 0, 1, 2
local changes = {}

local function field_of(unit, ordinal)
  return unit .. ':' .. ordinal
end

local function note(unit, left, state)
  changes[#changes + 1] = { tonumber(unit), left, state }
end

local function tell_units()
  if #changes == 0 then return end
  local seq = redis.call('HINCRBY', state_key, 'rev', 1)
  publish('units', cjson.encode({ epoch = tonumber(epoch), prev = seq - 1, seq = seq, changes = changes }))
  changes = {}
end

-- the account's places as a set of nth
local function mask_of(account)
  local mask = tonumber(redis.call('HGET', accounts_key, account) or '0')
  local set, count, nth = {}, 0, 1
  while mask > 0 do
    if mask % 2 == 1 then
      set[nth] = true
      count = count + 1
    end
    mask, nth = math.floor(mask / 2), nth + 1
  end
  return set, count
end

local function keep_mask(account, set)
  local mask = 0
  for nth in pairs(set) do mask = mask + 2 ^ (nth - 1) end
  if mask == 0 then
    redis.call('HDEL', accounts_key, account)
  else
    redis.call('HSET', accounts_key, account, whole(mask))
  end
end

local function clear_nth(account, nths)
  local set = mask_of(account)
  for _, nth in ipairs(nths) do set[nth] = nil end
  keep_mask(account, set)
end

-- the lowest free ordinal of a unit that has one left
local function next_ordinal(unit)
  local given_back = redis.call('ZRANGEBYSCORE', spare_key, unit, unit, 'LIMIT', 0, 1)[1]
  if given_back then
    redis.call('ZREM', spare_key, given_back)
    return string.match(given_back, ':(%d+)$')
  end
  local following = redis.call('HINCRBY', next_key, unit, 1)
  -- Absent: none was ever given.
  if following == 1 then following = redis.call('HINCRBY', next_key, unit, 1) end
  return whole(following - 1)
end

-- takes a given ordinal of a unit out of what is free
local function take_ordinal(unit, ordinal)
  if redis.call('ZREM', spare_key, field_of(unit, ordinal)) == 1 then return end
  local next_free = tonumber(redis.call('HGET', next_key, unit) or '1')
  for skipped = next_free, ordinal - 1 do redis.call('ZADD', spare_key, unit, field_of(unit, skipped)) end
  if ordinal >= next_free then redis.call('HSET', next_key, unit, ordinal + 1) end
end

local function occupy(unit, ordinal, owner, state)
  redis.call('HSET', places_key, field_of(unit, ordinal), owner)
  redis.call('HINCRBY', state_key, 'free', -1)
  note(unit, redis.call('HINCRBY', left_key, unit, -1), state)
end

local function free_place(unit, ordinal)
  redis.call('HDEL', places_key, field_of(unit, ordinal))
  redis.call('ZADD', spare_key, unit, field_of(unit, ordinal))
  redis.call('HINCRBY', state_key, 'free', 1)
  note(unit, redis.call('HINCRBY', left_key, unit, 1), FREE)
end

local function read_hold(hold)
  local record = redis.call('HGET', holds_key, hold)
  return record and cjson.decode(record)
end

local function nths_of(record)
  local nths = {}
  for index, place in ipairs(record.places) do nths[index] = place[3] end
  return nths
end

-- forgets the record of a hold, not its places
local function drop_hold(hold, account)
  redis.call('HDEL', holds_key, hold)
  redis.call('ZREM', hold_ends_key, hold)
  redis.call('ZREM', pinned_key, hold)
  local rest = {}
  for other in string.gmatch(redis.call('HGET', holding_key, account) or '', '[^,]+') do
    if other ~= hold then rest[#rest + 1] = other end
  end
  if #rest == 0 then
    redis.call('HDEL', holding_key, account)
  else
    redis.call('HSET', holding_key, account, table.concat(rest, ','))
  end
end

-- ends a hold that no order has pinned: frees the places that are still its own
local function end_hold(hold, record)
  for _, place in ipairs(record.places) do
    if redis.call('HGET', places_key, field_of(place[1], place[2])) == 'h:' .. hold then
      free_place(place[1], place[2])
    end
  end
  clear_nth(record.account, nths_of(record))
  drop_hold(hold, record.account)
end
