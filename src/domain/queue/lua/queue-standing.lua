-- Where accounts stand, many in one call.
-- KEYS state queue active granting
-- ARGV epoch run_id accounts
-- accounts is a JSON list. returns {now, waiting, free, sold, status, [per account: rank | 'sequence:expires_ms:admitted_ms' | -1]} or a failure
-- @include ../../sale-state/lua/guard.lua
local now, failure = guard()
if not now then return failure end

local s = redis.call('HMGET', state_key, 'free', 'sold', 'status')
local standing = {}
for index, account in ipairs(cjson.decode(accounts)) do
  local record = redis.call('HGET', active_key, account)
  if record then
    standing[index] = redis.call('HEXISTS', granting_key, account) == 1 and 0 or record
  else
    standing[index] = redis.call('ZRANK', queue_key, account) or -1
  end
end
return { whole(now), redis.call('ZCARD', queue_key), tonumber(s[1]), tonumber(s[2]), s[3], standing }
