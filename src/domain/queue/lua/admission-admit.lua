-- One tick of the gate: ends what is over, takes people from the front of the line. What an earlier tick took and
-- could not make durable comes again, unchanged, before anybody else is taken.
-- KEYS state queue active ends granting closing pace holding restored
-- ARGV epoch run_id fence batch factor
-- returns {now, closing flat, granting flat, waiting, active, free, sold, total, status, version, restore_until, restored} or a failure
-- publishes queue {type: expired, accounts}
-- @include ../../sale-state/lua/guard.lua
-- @include active.lua
local now, failure = guard()
if not now then return failure end
local s = redis.call('HMGET', state_key, 'fence', 'status', 'rate', 'max_active', 'token_ttl_ms', 'free',
  'restore_until', 'credit', 'credit_at', 'pace_count', 'sold', 'total', 'version')
if s[1] ~= fence then return FENCED end
local status, rate, max_active = s[2], tonumber(s[3]), tonumber(s[4])
batch = tonumber(batch)

local function end_admissions()
  local ended = {}
  for _, account in ipairs(redis.call('ZRANGEBYSCORE', ends_key, '-inf', now, 'LIMIT', 0, batch)) do
    local open = admission(account)
    if not open then
      redis.call('ZREM', ends_key, account)
    elseif open.expires_ms <= now and redis.call('HEXISTS', granting_key, account) == 0 then
      close_admission(account, open.sequence, 'ended', now)
      -- Who has joined again since is in the line, and hears nothing of the token that ended.
      if not redis.call('ZSCORE', queue_key, account) then ended[#ended + 1] = account end
    end
  end
  if #ended > 0 then publish('queue', cjson.encode({ type = 'expired', accounts = ended })) end
end

-- how many the last minute admitted, after forgetting what is older
local function pace_count()
  local count = tonumber(s[10]) or 0
  local oldest = redis.call('LINDEX', pace_key, 0)
  while oldest do
    local at, admitted = string.match(oldest, '^(%d+):(%d+)$')
    if tonumber(at) > now - 60000 then break end
    count = count - admitted
    redis.call('LPOP', pace_key)
    oldest = redis.call('LINDEX', pace_key, 0)
  end
  return count
end

-- The rolling minute alone would let a whole minute's people in at once: the credit, one second's worth at the most,
-- spreads them.
local function credit()
  local most = math.max(1, rate / 60)
  local since = now - (tonumber(s[9]) or 0)
  return math.min(most, (tonumber(s[8]) or most) + math.max(0, since) * rate / 60000)
end

local function take(count, pace, spare_credit)
  local taken = redis.call('ZPOPMIN', queue_key, count)
  local expires = whole(now + tonumber(s[5]))
  for index = 1, #taken, 2 do
    local account, sequence = taken[index], whole(taken[index + 1])
    local record = sequence .. ':' .. expires .. ':' .. whole(now)
    redis.call('HSET', active_key, account, record)
    redis.call('ZADD', ends_key, expires, account)
    redis.call('HSET', granting_key, account, record)
  end
  local number = #taken / 2
  if number > 0 then redis.call('RPUSH', pace_key, whole(now) .. ':' .. number) end
  redis.call('HSET', state_key, 'pace_count', pace + number, 'credit', spare_credit - number, 'credit_at', whole(now))
end

end_admissions()
local unfinished = redis.call('HLEN', granting_key) > 0
if status == 'open' and not unfinished and now >= tonumber(s[7]) then
  local active = redis.call('HLEN', active_key)
  local choosing = math.max(0, active - redis.call('HLEN', holding_key))
  local pace, spare_credit = pace_count(), credit()
  local count = math.min(batch, rate - pace, max_active - active, math.floor(spare_credit),
    math.ceil(tonumber(s[6]) * factor) - choosing)
  take(math.max(0, count), pace, spare_credit)
end

return {
  whole(now), redis.call('HGETALL', closing_key), redis.call('HGETALL', granting_key),
  redis.call('ZCARD', queue_key), redis.call('HLEN', active_key), tonumber(s[6]), tonumber(s[11]), tonumber(s[12]),
  status, tonumber(s[13]), s[7], redis.call('SMEMBERS', restored_key),
}
