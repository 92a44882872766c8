-- A record of `active` is `sequence:expires_ms:admitted_ms`. Needs guard.lua and `active_key`.
local function admission(account)
  local record = redis.call('HGET', active_key, account)
  if not record then return nil end
  local sequence, expires_ms, admitted_ms = string.match(record, '^(%d+):(%d+):(%d+)$')
  return { record = record, sequence = sequence, expires_ms = tonumber(expires_ms), admitted_ms = admitted_ms }
end

-- Takes the token back and notes it for PostgreSQL. Needs `ends_key` and `closing_key`.
local function close_admission(account, sequence, reason, now)
  redis.call('HDEL', active_key, account)
  redis.call('ZREM', ends_key, account)
  redis.call('HSET', closing_key, sequence, reason .. ':' .. whole(now) .. ':' .. account)
end
