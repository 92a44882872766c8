-- After PostgreSQL has them: admissions may be told, endings forgotten. Who was refused there has no place any more.
-- KEYS state active ends granting closing
-- ARGV epoch run_id fence granted refused closed
-- granted and refused are JSON lists of accounts, closed of sequences.
-- returns how many may be told, or a failure
-- publishes queue {type: admitted, list: [[account, 'sequence:expires_ms:admitted_ms'], …]}
-- @include ../../sale-state/lua/guard.lua
local now, failure = guard()
if not now then return failure end
if redis.call('HGET', state_key, 'fence') ~= fence then return FENCED end

local told = {}
local accounts = cjson.decode(granted)
if #accounts > 0 then
  local records = redis.call('HMGET', granting_key, unpack(accounts))
  local open = redis.call('HMGET', active_key, unpack(accounts))
  redis.call('HDEL', granting_key, unpack(accounts))
  for index, account in ipairs(accounts) do
    local record = records[index]
    -- One that was closed meanwhile is durable too, but nobody's any more.
    if record and open[index] == record then told[#told + 1] = { account, record } end
  end
end
for _, account in ipairs(cjson.decode(refused)) do
  local record = redis.call('HGET', granting_key, account)
  -- Also where the admission was closed meanwhile: what stays here keeps the gate from everybody.
  redis.call('HDEL', granting_key, account)
  if record and redis.call('HGET', active_key, account) == record then
    redis.call('HDEL', active_key, account)
    redis.call('ZREM', ends_key, account)
  end
end
for _, sequence in ipairs(cjson.decode(closed)) do redis.call('HDEL', closing_key, sequence) end
if #told > 0 then publish('queue', cjson.encode({ type = 'admitted', list = told })) end
return #told
