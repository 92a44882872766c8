-- Ties holds to their orders: from now on each ends only with its order. Once more by the same order says that somebody
-- is at it.
-- KEYS state places holds hold_ends pinned
-- ARGV epoch run_id asks
-- asks is JSON [{account, hold, order}, …]
-- returns for each ask the hold as JSON {account, places, expires, order} or a failure; or a failure of all
-- @include ../../sale-state/lua/guard.lua
local now, failure = guard()
if not now then return failure end
local is_closed = redis.call('HGET', state_key, 'status') == 'closed'

local function pin(ask)
  local hold, order = ask.hold, ask.order
  local text = redis.call('HGET', holds_key, hold)
  local record = text and cjson.decode(text)
  if not record or record.account ~= ask.account then return NO_HOLD end
  if record.order then
    if record.order ~= order then return NO_HOLD end
    redis.call('ZADD', pinned_key, 'XX', whole(now), hold)
    return text
  end
  if record.expires <= now then return NO_HOLD end
  if is_closed then return CLOSED end

  record.order = order
  text = cjson.encode(record)
  redis.call('HSET', holds_key, hold, text)
  redis.call('ZREM', hold_ends_key, hold)
  redis.call('ZADD', pinned_key, whole(now), hold)
  for _, place in ipairs(record.places) do
    local field = place[1] .. ':' .. place[2]
    if redis.call('HGET', places_key, field) == 'h:' .. hold then
      redis.call('HSET', places_key, field, 'p:' .. order)
    end
  end
  return text
end

local answers = {}
for index, ask in ipairs(cjson.decode(asks)) do answers[index] = pin(ask) end
return answers
