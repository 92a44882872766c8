-- The sale is over: the line and the tokens go, the rest fades within a day.
-- KEYS state queue gone moves seen aside aside_places active ends granting closing pace restored left next spare places accounts bought holds hold_ends pinned holding
-- ARGV epoch run_id fence
-- returns 1 or a failure
-- @include guard.lua
local now, failure = guard()
if not now then return failure end
if redis.call('HGET', state_key, 'fence') ~= fence then return FENCED end
redis.call('UNLINK', queue_key, gone_key, moves_key, seen_key, aside_key, aside_places_key, active_key, ends_key, granting_key, closing_key, pace_key, restored_key, holding_key)
for _, key in ipairs(KEYS) do redis.call('EXPIRE', key, 86400) end
return 1
