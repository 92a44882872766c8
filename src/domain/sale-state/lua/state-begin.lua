-- Begins a life of the sale's state: everything but the line is forgotten and will be written anew from PostgreSQL.
-- No other script does anything until state-open. Refused when a younger writer is at it.
-- KEYS state queue gone moves seen aside aside_places active ends granting closing pace restored left next spare places accounts bought holds hold_ends pinned holding
-- ARGV epoch run_id fence
-- returns {now, kept 0|1} or a failure; kept says that an older state, and with it the line, was still there
local standing = redis.call('HMGET', state_key, 'fence', 'epoch', 'rev', 'offset_ms', 'n', 'arrivals_before')
if tonumber(standing[1] or '0') > tonumber(fence) or tonumber(standing[2] or '0') >= tonumber(epoch) then return -3 end
-- Whoever was taken from the line and is perhaps not durable goes back to it; who is durable is taken out later.
local granting = redis.call('HGETALL', granting_key)
for index = 1, #granting, 2 do
  redis.call('ZADD', queue_key, 'NX', string.match(granting[index + 1], '^%d+'), granting[index])
end
-- So does whoever was set aside: the edges say anew who is there.
local aside = redis.call('HGETALL', aside_places_key)
for index = 1, #aside, 2 do redis.call('ZADD', queue_key, 'NX', aside[index + 1], aside[index]) end
for index = 3, #KEYS do redis.call('UNLINK', KEYS[index]) end
redis.call('DEL', state_key)
redis.call('HSET', state_key, 'epoch', epoch, 'run_id', run_id, 'fence', fence, 'ready', '0',
  'rev', standing[3] or '0', 'offset_ms', standing[4] or '0',
  'arrivals_before', string.format('%.0f', (tonumber(standing[5]) or 0) + (tonumber(standing[6]) or 0)))
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(standing[4] or '0')
return { string.format('%.0f', now), standing[2] and 1 or 0 }
