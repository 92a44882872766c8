-- The head of the line, told to all edges in one message however long the line is. Needs guard.lua and the keys moves,
-- aside, holds. At the most every 200 ms when something has changed, and once a second when nothing has.
local TOLD_WITHIN_MS, SILENT_AT_MOST_MS = 200, 1000

-- moves   what happened since the update before, in order (see line.lua); `prev` is -1 when they were too many to tell
-- tail    the last number given in this epoch: all up to it came, before these moves
-- rev     the last revision of the units, so that a lost delta is noticed
-- is_full the gate waits, or did a moment ago, for room and not for the pace
local function tell_head(now, is_full, figures)
  local h = redis.call('HMGET', state_key, 'head_seq', 'head_at', 'head_told', 'moves_lost', 'n', 'arrivals_before', 'pace_count', 'rev')
  local since = now - (tonumber(h[2]) or 0)
  if since < TOLD_WITHIN_MS then return end
  local told = h[5] .. ' ' .. figures.free .. ' ' .. figures.status .. ' ' .. figures.version
  local has_moves = h[4] or redis.call('EXISTS', moves_key) == 1
  if since < SILENT_AT_MOST_MS and not has_moves and told == h[3] then return end

  local seq = (tonumber(h[1]) or 0) + 1
  figures.epoch = tonumber(epoch)
  figures.prev = h[4] and -1 or seq - 1
  figures.seq = seq
  figures.tail = tonumber(h[5])
  figures.moves = redis.call('LRANGE', moves_key, 0, -1)
  figures.aside = redis.call('ZCARD', aside_key)
  figures.holds = redis.call('HLEN', holds_key)
  figures.arrivals = (tonumber(h[6]) or 0) + tonumber(h[5])
  figures.pace = tonumber(h[7]) or 0
  figures.is_full = is_full
  figures.rev = tonumber(h[8]) or 0
  figures.at = now
  redis.call('DEL', moves_key)
  redis.call('HSET', state_key, 'head_seq', seq, 'head_at', whole(now), 'head_told', told)
  redis.call('HDEL', state_key, 'moves_lost')
  -- An empty list would be written as an object.
  if #figures.moves == 0 then figures.moves = nil end
  publish('line', cjson.encode(figures))
end
