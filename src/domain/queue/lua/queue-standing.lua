-- Where accounts stand, many in one call.
-- KEYS state queue aside aside_places active granting
-- ARGV epoch run_id accounts
-- accounts is a JSON list
-- returns {now, waiting, free, sold, status, [per account 'w:rank:sequence' | 'a:sequence:expires_ms:admitted_ms' | 'x:until_ms:sequence' set aside | '-']} or a failure
-- @include ../../sale-state/lua/guard.lua
-- @include active.lua
local now, failure = guard()
if not now then return failure end

local s = redis.call('HMGET', state_key, 'free', 'sold', 'status')
local standing = {}
for index, account in ipairs(cjson.decode(accounts)) do
  local open = admission(account)
  local valid = open and open.expires_ms > now
  local rank = not valid and redis.call('ZRANK', queue_key, account)
  if open and redis.call('HEXISTS', granting_key, account) == 1 then
    standing[index] = 'w:0:' .. open.sequence
  elseif valid then
    standing[index] = 'a:' .. open.record
  elseif rank then
    standing[index] = 'w:' .. rank .. ':' .. whole(redis.call('ZSCORE', queue_key, account))
  elseif redis.call('HEXISTS', aside_places_key, account) == 1 then
    standing[index] = 'x:' .. redis.call('ZSCORE', aside_key, account) .. ':' .. redis.call('HGET', aside_places_key, account)
  else
    standing[index] = '-'
  end
end
return { whole(now), redis.call('ZCARD', queue_key), tonumber(s[1]), tonumber(s[2]), s[3], standing }
