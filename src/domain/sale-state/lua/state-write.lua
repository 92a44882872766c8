-- Writes a portion of a state that is being rebuilt.
-- KEYS state queue active ends pace left next spare places accounts bought
-- ARGV epoch run_id fence portion
-- portion is JSON {hash: {key name: [field, value, …]}, zset: {key name: [score, member, …]}, list: {…}, unqueue: [[account, sequence], …]}
-- returns 1 or a failure
local standing = redis.call('HMGET', state_key, 'fence', 'epoch', 'run_id', 'ready')
if standing[1] ~= fence or standing[2] ~= epoch or standing[3] ~= run_id or standing[4] ~= '0' then return -3 end
local key_of = {
  state = state_key, active = active_key, ends = ends_key, pace = pace_key, left = left_key, next = next_key,
  spare = spare_key, places = places_key, accounts = accounts_key, bought = bought_key,
}
local write = cjson.decode(portion)
for name, values in pairs(write.hash or {}) do redis.call('HSET', key_of[name], unpack(values)) end
for name, values in pairs(write.zset or {}) do redis.call('ZADD', key_of[name], unpack(values)) end
for name, values in pairs(write.list or {}) do redis.call('RPUSH', key_of[name], unpack(values)) end
for _, waiter in ipairs(write.unqueue or {}) do
  local sequence = redis.call('ZSCORE', queue_key, waiter[1])
  if sequence and string.format('%.0f', sequence) == waiter[2] then redis.call('ZREM', queue_key, waiter[1]) end
end
return 1
