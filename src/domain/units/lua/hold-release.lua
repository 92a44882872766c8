-- Gives a hold back before its time.
-- KEYS state left next spare places accounts holds hold_ends pinned holding
-- ARGV epoch run_id account hold
-- returns 1 or a failure
-- publishes units, wake
-- @include ../../sale-state/lua/guard.lua
-- @include places.lua
local now, failure = guard()
if not now then return failure end

local record = read_hold(hold)
if not record or record.account ~= account or record.order then return NO_HOLD end
end_hold(hold, record)
tell_units()
publish('wake', 'release')
return 1
