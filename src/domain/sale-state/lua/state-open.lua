-- Opens a rebuilt state. Nobody is admitted for `restore_ms`, so that the line can be put back first.
-- KEYS state
-- ARGV epoch run_id fence restore_ms
-- returns 1 or a failure
-- publishes queue {type: epoch, epoch}
local standing = redis.call('HMGET', state_key, 'fence', 'epoch', 'run_id', 'offset_ms')
if standing[1] ~= fence or standing[2] ~= epoch or standing[3] ~= run_id then return -3 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000) + tonumber(standing[4])
redis.call('HSET', state_key, 'ready', '1', 'opened_at', string.format('%.0f', now),
  'restore_until', string.format('%.0f', now + restore_ms))
redis.call('PUBLISH', string.gsub(state_key, ':state$', ':ch:queue'), cjson.encode({ type = 'epoch', epoch = tonumber(epoch) }))
return 1
