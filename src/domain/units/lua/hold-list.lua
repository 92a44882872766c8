-- The holds of an account of which no order was made and whose time is not over.
-- KEYS state holds holding
-- ARGV epoch run_id account
-- returns [[hold, hold as JSON {account, places, expires}], …] or a failure
-- @include ../../sale-state/lua/guard.lua
local now, failure = guard()
if not now then return failure end

local list = {}
for hold in string.gmatch(redis.call('HGET', holding_key, account) or '', '[^,]+') do
  local text = redis.call('HGET', holds_key, hold)
  local record = text and cjson.decode(text)
  if record and not record.order and record.expires > now then list[#list + 1] = { hold, text } end
end
return list
