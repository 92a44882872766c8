-- Brings places into the state that PostgreSQL gave them. An order frees and sells only what it owns, so a message
-- that comes late or twice changes nothing. A place that the order should own and does not is named in the answer;
-- with `force` 1, used after looking into PostgreSQL, it is taken from whoever has it.
-- KEYS state active ends closing left next spare places accounts bought holds hold_ends pinned holding
-- ARGV epoch run_id force entries
-- entries is JSON [{order, hold?, account, status: pending|booked|free, places: [[unit, ordinal, nth], …]}, …]
-- returns [indexes, from 0, of the entries with a place in dispute] or a failure
-- publishes units, wake, queue {type: fulfilled, accounts}
-- @include ../../sale-state/lua/guard.lua
-- @include ../../queue/lua/active.lua
-- @include places.lua
local now, failure = guard()
if not now then return failure end
force = force == '1'
local max_per_account = tonumber(redis.call('HGET', state_key, 'max_per_account'))
local freed, fulfilled = false, {}

local function free_owned(entry)
  local nths, sold = {}, 0
  for _, place in ipairs(entry.places) do
    local owner = redis.call('HGET', places_key, field_of(place[1], place[2]))
    if owner == 'p:' .. entry.order or owner == 's:' .. entry.order then
      if owner == 's:' .. entry.order then sold = sold + 1 end
      free_place(place[1], place[2])
      nths[#nths + 1] = place[3]
    end
  end
  if #nths == 0 then return end
  clear_nth(entry.account, nths)
  freed = true
  if sold > 0 then
    redis.call('HINCRBY', state_key, 'sold', -sold)
    redis.call('HINCRBY', bought_key, entry.account, -sold)
  end
end

-- true when the place is the order's now
local function claim(entry, place)
  local unit, ordinal = place[1], place[2]
  local owner = redis.call('HGET', places_key, field_of(unit, ordinal))
  local own = owner == 'p:' .. entry.order or owner == 's:' .. entry.order
  local held = entry.hold and owner == 'h:' .. entry.hold
  if not own and not held and not force then return false end
  if not owner then
    take_ordinal(unit, ordinal)
    occupy(unit, ordinal, 'p:' .. entry.order, HELD)
  elseif not own then
    if string.sub(owner, 1, 2) == 's:' then redis.call('HINCRBY', state_key, 'sold', -1) end
    redis.call('HSET', places_key, field_of(unit, ordinal), 'p:' .. entry.order)
  end
  if not own then
    local set = mask_of(entry.account)
    set[place[3]] = true
    keep_mask(entry.account, set)
  end
  return true
end

local function sell(entry)
  local sold = 0
  for _, place in ipairs(entry.places) do
    local field = field_of(place[1], place[2])
    if redis.call('HGET', places_key, field) == 'p:' .. entry.order then
      redis.call('HSET', places_key, field, 's:' .. entry.order)
      note(place[1], tonumber(redis.call('HGET', left_key, place[1])), SOLD)
      sold = sold + 1
    end
  end
  if sold == 0 then return end
  redis.call('HINCRBY', state_key, 'sold', sold)
  local bought = redis.call('HINCRBY', bought_key, entry.account, sold)
  local open = admission(entry.account)
  if open and bought >= max_per_account then
    close_admission(entry.account, open.sequence, 'fulfilled', now)
    fulfilled[#fulfilled + 1] = entry.account
    freed = true
  end
end

-- The hold an order was made of. A change that frees may come before the one that names the hold; what is left of it
-- then would later free the places its account has taken since.
local function hold_of(entry)
  if entry.hold or entry.status ~= 'free' then return entry.hold end
  for hold in string.gmatch(redis.call('HGET', holding_key, entry.account) or '', '[^,]+') do
    local record = read_hold(hold)
    if record and record.order == entry.order then return hold end
  end
end

local disputed = {}
for index, entry in ipairs(cjson.decode(entries)) do
  local whole_order = true
  if entry.status == 'free' then
    free_owned(entry)
  else
    for _, place in ipairs(entry.places) do whole_order = claim(entry, place) and whole_order end
    if entry.status == 'booked' then sell(entry) end
  end
  if not whole_order then disputed[#disputed + 1] = index - 1 end
  local hold = hold_of(entry)
  if hold and (entry.status == 'free' or whole_order) then
    local record = read_hold(hold)
    if record and record.order == entry.order then
      if entry.status == 'free' then clear_nth(record.account, nths_of(record)) end
      drop_hold(hold, record.account)
    end
  end
end
tell_units()
if #fulfilled > 0 then publish('queue', cjson.encode({ type = 'fulfilled', accounts = fulfilled })) end
if freed then publish('wake', 'freed') end
return disputed
