-- Ends holds whose time is over and names those that were pinned long ago by an order nobody has heard of since.
-- KEYS state left next spare places accounts holds hold_ends pinned holding
-- ARGV epoch run_id fence batch pinned_ms
-- returns {ended, [[hold, hold as JSON {account, places, expires, order}], …]} or a failure
-- publishes units, wake
-- @include ../../sale-state/lua/guard.lua
-- @include places.lua
local now, failure = guard()
if not now then return failure end
if redis.call('HGET', state_key, 'fence') ~= fence then return FENCED end

local ended = 0
for _, hold in ipairs(redis.call('ZRANGEBYSCORE', hold_ends_key, '-inf', now, 'LIMIT', 0, batch)) do
  local record = read_hold(hold)
  if not record or record.order then
    redis.call('ZREM', hold_ends_key, hold)
  elseif record.expires <= now then
    end_hold(hold, record)
    ended = ended + 1
  end
end
tell_units()
if ended > 0 then publish('wake', 'sweep') end

local forsaken = {}
for _, hold in ipairs(redis.call('ZRANGEBYSCORE', pinned_key, '-inf', now - pinned_ms, 'LIMIT', 0, batch)) do
  local record = read_hold(hold)
  if record then
    forsaken[#forsaken + 1] = { hold, cjson.encode(record) }
  else
    redis.call('ZREM', pinned_key, hold)
  end
end
return { ended, forsaken }
