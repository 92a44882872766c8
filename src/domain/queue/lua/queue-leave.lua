-- Gives up a place in the line or a purchase token; holds that no order has pinned end with it.
-- KEYS state queue gone moves seen aside aside_places active ends granting closing left next spare places accounts holds hold_ends pinned holding
-- ARGV epoch run_id account
-- returns {'line'|'admission', sequence} or a failure
-- publishes units when holds ended, wake
-- @include ../../sale-state/lua/guard.lua
-- @include active.lua
-- @include ../../units/lua/places.lua
-- @include line.lua
-- @include presence.lua
local now, failure = guard()
if not now then return failure end
if redis.call('HEXISTS', granting_key, account) == 1 then return GRANTING end

come_back(account)
local sequence = redis.call('ZSCORE', queue_key, account)
if sequence then
  leave_line(account, sequence)
  redis.call('ZREM', seen_key, account)
  return { 'line', whole(sequence) }
end

local open = admission(account)
if not open then return NOT_IN_LINE end
close_admission(account, open.sequence, 'left', now)
local held = redis.call('HGET', holding_key, account)
for hold in string.gmatch(held or '', '[^,]+') do
  local record = read_hold(hold)
  if record and not record.order then end_hold(hold, record) end
end
tell_units()
publish('wake', 'leave')
return { 'admission', open.sequence }
