-- Notes how many members a process counts in a room, and adds up what all processes say.
-- KEYS presence
-- ARGV process members ttl_ms
-- returns how many there are
-- publishes chat {type: presence, members} when that is another number than it was told last
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if members == '0' then
  redis.call('HDEL', presence_key, process)
else
  redis.call('HSET', presence_key, process, members .. ':' .. string.format('%.0f', now + tonumber(ttl_ms)))
end

local sum, told = 0, nil
local counts = redis.call('HGETALL', presence_key)
for i = 1, #counts, 2 do
  if counts[i] == 'told' then
    told = tonumber(counts[i + 1])
  else
    local count, ends = string.match(counts[i + 1], '^(%d+):(%d+)$')
    if tonumber(ends) > now then sum = sum + tonumber(count) else redis.call('HDEL', presence_key, counts[i]) end
  end
end
redis.call('HSET', presence_key, 'told', sum)
redis.call('PEXPIRE', presence_key, ttl_ms)
if sum ~= told then
  local channel = string.gsub(presence_key, ':chat:presence$', ':ch:chat')
  redis.call('PUBLISH', channel, cjson.encode({ type = 'presence', members = sum }))
end
return sum
