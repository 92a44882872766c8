-- Ties a hold to its order: from now on it ends only with it. Once more by the same order says that somebody is at it.
-- KEYS state places holds hold_ends pinned
-- ARGV epoch run_id account hold order
-- returns hold as JSON {account, places, expires, order} or a failure
-- @include ../../sale-state/lua/guard.lua
local now, failure = guard()
if not now then return failure end

local text = redis.call('HGET', holds_key, hold)
local record = text and cjson.decode(text)
if not record or record.account ~= account then return NO_HOLD end
if record.order then
  if record.order ~= order then return NO_HOLD end
  redis.call('ZADD', pinned_key, 'XX', whole(now), hold)
  return text
end
if record.expires <= now then return NO_HOLD end
if redis.call('HGET', state_key, 'status') == 'closed' then return CLOSED end

record.order = order
text = cjson.encode(record)
redis.call('HSET', holds_key, hold, text)
redis.call('ZREM', hold_ends_key, hold)
redis.call('ZADD', pinned_key, whole(now), hold)
for _, place in ipairs(record.places) do
  local field = place[1] .. ':' .. place[2]
  if redis.call('HGET', places_key, field) == 'h:' .. hold then redis.call('HSET', places_key, field, 'p:' .. order) end
end
return text
