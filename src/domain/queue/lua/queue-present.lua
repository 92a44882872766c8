-- Notes that accounts are there, which matters near the front of the line. Whoever was set aside comes back to it.
-- KEYS state queue gone moves seen aside aside_places
-- ARGV epoch run_id accounts
-- accounts is a JSON list
-- returns how many came back, or a failure
-- publishes wake when somebody came back
-- @include ../../sale-state/lua/guard.lua
-- @include line.lua
-- @include presence.lua
local now, failure = guard()
if not now then return failure end

local back = 0
for _, account in ipairs(cjson.decode(accounts)) do
  if come_back(account) then back = back + 1 end
  if redis.call('ZSCORE', queue_key, account) then redis.call('ZADD', seen_key, now, account) end
end
if back > 0 then publish('wake', 'back') end
return back
