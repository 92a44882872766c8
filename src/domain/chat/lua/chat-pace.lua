-- Whether an account may say something now: at its pace, not the same thing again and again, and where the room is slow
-- only after a while. What is refused costs nothing, and the same message asked for again is not charged again.
-- KEYS pace
-- ARGV id text interval_ms burst slow_ms
-- text is a digest of what is said, or empty where only the pace counts
-- returns {verdict, ms to wait}: 0 said, -1 too fast, -2 repeated, -3 the room is slow
local SAID, FLOODING, REPEATED, SLOW = 0, -1, -2, -3
local REPEATED_MS, RECENT_MAX = 30000, 32

local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stored = redis.call('HMGET', pace_key, 'tat', 'said', 'recent')
local tat, said = math.max(now, tonumber(stored[1]) or 0), tonumber(stored[2])

local recent, same = {}, {}
for _, one in ipairs(stored[3] and cjson.decode(stored[3]) or {}) do
  if one[3] == id then return { SAID, 0 } end
  if one[1] > now - REPEATED_MS then
    recent[#recent + 1] = one
    if text ~= '' and one[2] == text then same[#same + 1] = one[1] end
  end
end

local interval, slow = tonumber(interval_ms), tonumber(slow_ms)
if said and said + slow > now then return { SLOW, said + slow - now } end
local early = tat - now - (tonumber(burst) - 1) * interval
if early > 0 then return { FLOODING, early } end
if #same >= 2 then return { REPEATED, same[#same - 1] + REPEATED_MS - now } end

recent[#recent + 1] = { now, text, id }
if #recent > RECENT_MAX then table.remove(recent, 1) end
redis.call('HSET', pace_key, 'tat', string.format('%.0f', tat + interval), 'said', string.format('%.0f', now),
  'recent', cjson.encode(recent))
redis.call('PEXPIRE', pace_key, math.max(REPEATED_MS, slow, tonumber(burst) * interval) + 1000)
return { SAID, 0 }
