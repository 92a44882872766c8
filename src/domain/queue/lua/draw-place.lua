-- Gives drawn places, a portion at a time; `last` 1 with the last of them, from which on the sale is as its settings say.
-- Repeating it changes nothing: whoever has left, or is in, does not come back.
-- KEYS state queue gone moves aside_places active
-- ARGV epoch run_id fence drawn_epoch entrants places last
-- places is JSON [[account, rank from 1], …]; drawn_epoch is the epoch whose first sequences the drawn places are.
-- returns how many were placed, or a failure
-- publishes queue {type: status, status} with the last portion, wake
-- @include ../../sale-state/lua/guard.lua
-- @include line.lua
local now, failure = guard()
if not now then return failure end
if redis.call('HGET', state_key, 'fence') ~= fence then return FENCED end

local of_this_epoch = drawn_epoch == epoch
-- Later arrivals stand behind all of them.
if of_this_epoch and tonumber(redis.call('HGET', state_key, 'n') or '0') < tonumber(entrants) then
  redis.call('HSET', state_key, 'n', entrants)
end
local placed = 0
for _, place in ipairs(cjson.decode(places)) do
  local account, rank = place[1], place[2]
  local is_in = redis.call('ZSCORE', queue_key, account) or redis.call('HEXISTS', active_key, account) == 1
    or redis.call('HEXISTS', aside_places_key, account) == 1
    or (of_this_epoch and redis.call('GETBIT', gone_key, rank) == 1)
  if not is_in then
    local sequence = whole(drawn_epoch * 4294967296 + rank)
    -- Of this epoch every number given is known to be in the line; of an older one each has to be told.
    if of_this_epoch then redis.call('ZADD', queue_key, sequence, account) else enter_line(account, sequence) end
    placed = placed + 1
  end
end
-- Grace begins when everybody can know that they wait.
if last == '1' then
  local status = redis.call('HGET', state_key, 'drawn_status')
  redis.call('HSET', state_key, 'drawn', '1', 'opened_at', whole(now), 'status', status)
  publish('queue', cjson.encode({ type = 'status', status = status }))
  publish('wake', 'drawn')
end
return placed
