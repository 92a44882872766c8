-- One tick of the gate: ends what is over, takes people from the front of the line. What an earlier tick took and
-- could not make durable comes again, unchanged, before anybody else is taken. Whoever is away at their turn is set
-- aside for the grace, and costs nobody a place in the pace.
-- KEYS state queue gone moves seen aside aside_places active ends granting closing pace holding holds restored
-- ARGV epoch run_id fence batch factor
-- returns {now, closing flat, granting flat, waiting, active, free, sold, total, status, version, restore_until, restored, set_aside,
-- drawn 0|1, replay_after, knew_line_before} or a failure; replay_after is nothing where a rebuild is behind us
-- publishes queue {type: expired, accounts}, {type: aside, accounts}, line (the head of the line, see head.lua)
-- @include ../../sale-state/lua/guard.lua
-- @include active.lua
-- @include line.lua
-- @include head.lua
local now, failure = guard()
if not now then return failure end
local s = redis.call('HMGET', state_key, 'fence', 'status', 'rate', 'max_active', 'token_ttl_ms', 'free',
  'restore_until', 'credit', 'credit_at', 'pace_count', 'sold', 'total', 'version', 'grace_ms', 'full_at', 'opened_at', 'drawn', 'head_at',
  'replay_after', 'knew_line_before')
if s[1] ~= fence then return FENCED end
local status, rate, max_active, grace_ms = s[2], tonumber(s[3]), tonumber(s[4]), tonumber(s[14])
batch = tonumber(batch)

-- Where the gate has not worked for a while perhaps nobody could say that they are there: the grace begins anew.
local SILENT_MS = 10000
local opened_at = tonumber(s[16]) or 0
if now - (tonumber(s[18]) or 0) > SILENT_MS then
  opened_at = now
  redis.call('HSET', state_key, 'opened_at', whole(now))
end

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

-- Who stayed away for the whole second grace has lost the place.
local function end_asides()
  if now - opened_at < grace_ms then return end
  for _, account in ipairs(redis.call('ZRANGEBYSCORE', aside_key, '-inf', now, 'LIMIT', 0, batch)) do
    local sequence = redis.call('HGET', aside_places_key, account)
    redis.call('ZREM', aside_key, account)
    redis.call('HDEL', aside_places_key, account)
    if sequence then redis.call('HSET', closing_key, sequence, 'no_show:' .. whole(now) .. ':' .. account) end
  end
end

local function set_aside(account, sequence)
  redis.call('ZADD', aside_key, whole(now + grace_ms), account)
  redis.call('HSET', aside_places_key, account, sequence)
end

-- Looks at accounts, flat with their sequences, and adds those who are away to `away`. Returns how many it let in. All
-- of them in one call for each key: a call costs more than what it does.
local function let_in(taken, expires, away)
  local accounts = {}
  for index = 1, #taken, 2 do accounts[#accounts + 1] = taken[index] end
  local seen = redis.call('ZMSCORE', seen_key, unpack(accounts))
  redis.call('ZREM', seen_key, unpack(accounts))
  local records, ends, admitted = {}, {}, whole(now)
  for index, account in ipairs(accounts) do
    local sequence = whole(tonumber(taken[2 * index]))
    -- A new life of the state has seen nobody yet, which is nobody's fault.
    if now - math.max(tonumber(seen[index] or '0'), opened_at) <= grace_ms then
      local at = #records
      records[at + 1], records[at + 2] = account, sequence .. ':' .. expires .. ':' .. admitted
      ends[at + 1], ends[at + 2] = expires, account
    else
      set_aside(account, sequence)
      away[#away + 1] = account
    end
  end
  if #records > 0 then
    redis.call('HSET', active_key, unpack(records))
    redis.call('ZADD', ends_key, unpack(ends))
    redis.call('HSET', granting_key, unpack(records))
  end
  return #records / 2
end

-- Lets `count` people in who are there, looking at no more than `batch`. Returns how many were set aside.
local function take(count, pace, spare_credit)
  local expires = whole(now + tonumber(s[5]))
  local number, away = 0, {}
  while number < count and number + #away < batch do
    local taken = pop_front(math.min(count - number, batch - number - #away))
    if #taken == 0 then break end
    number = number + let_in(taken, expires, away)
  end
  if number > 0 then redis.call('RPUSH', pace_key, whole(now) .. ':' .. number) end
  redis.call('HSET', state_key, 'pace_count', pace + number, 'credit', spare_credit - number, 'credit_at', whole(now))
  if #away > 0 then publish('queue', cjson.encode({ type = 'aside', accounts = away })) end
  return #away
end

end_admissions()
end_asides()
redis.call('ZREMRANGEBYSCORE', seen_key, '-inf', now - 2 * grace_ms)
local unfinished = redis.call('HLEN', granting_key) > 0
local pace = pace_count()
redis.call('HSET', state_key, 'pace_count', pace)
local away, full_at = 0, tonumber(s[15]) or 0
if status == 'open' and not unfinished and now >= tonumber(s[7]) then
  local active = redis.call('HLEN', active_key)
  local choosing = math.max(0, active - redis.call('HLEN', holding_key))
  local spare_credit = credit()
  local paced = math.min(rate - pace, math.floor(spare_credit))
  local room = math.min(max_active - active, math.ceil(tonumber(s[6]) * factor) - choosing)
  if room < paced then
    full_at = now
    redis.call('HSET', state_key, 'full_at', whole(now))
  end
  away = take(math.max(0, math.min(batch, paced, room)), pace, spare_credit)
end

local waiting, active = redis.call('ZCARD', queue_key), redis.call('HLEN', active_key)
-- Whether room was short is told with some inertia: the wait that people are told should not jump to and fro.
tell_head(now, now - full_at < 10000, {
  waiting = waiting, active = active, free = tonumber(s[6]), sold = tonumber(s[11]), total = tonumber(s[12]),
  rate = rate, max_active = max_active, status = status, version = tonumber(s[13]),
})

return {
  whole(now), redis.call('HGETALL', closing_key), redis.call('HGETALL', granting_key),
  waiting, active, tonumber(s[6]), tonumber(s[11]), tonumber(s[12]),
  status, tonumber(s[13]), s[7], redis.call('SMEMBERS', restored_key), away, s[17] and 1 or 0,
  s[19] or '', s[20] or '0',
}
