-- Who is there when their turn comes. Needs guard.lua, line.lua and the keys seen, aside, aside_places.

-- brings whoever was set aside back to the place they had; the sequence, or nil when the account was not aside
local function come_back(account)
  local sequence = redis.call('HGET', aside_places_key, account)
  if not sequence then return nil end
  redis.call('HDEL', aside_places_key, account)
  redis.call('ZREM', aside_key, account)
  enter_line(account, sequence)
  return sequence
end
