-- Puts waiters back at the sequence an earlier epoch gave them. `edge` is '' for a single ticket.
-- KEYS state queue gone moves aside_places active restored
-- ARGV epoch run_id edge last waiters
-- waiters is JSON [[account, sequence text], …], last is 1 with an edge's last portion.
-- returns how many were put back, or a failure
-- @include ../../sale-state/lua/guard.lua
-- @include line.lua
local now, failure = guard()
if not now then return failure end

local back = 0
local first_of_epoch = epoch * 4294967296
for _, waiter in ipairs(cjson.decode(waiters)) do
  local account, sequence = waiter[1], waiter[2]
  local standing = redis.call('ZSCORE', queue_key, account)
  local older = tonumber(sequence) < first_of_epoch and (not standing or tonumber(sequence) < tonumber(standing))
  local is_in = redis.call('HEXISTS', active_key, account) == 1 or redis.call('HEXISTS', aside_places_key, account) == 1
  if older and not is_in then
    if standing then leave_line(account, standing) end
    enter_line(account, sequence)
    back = back + 1
  end
end
if edge ~= '' and last == '1' then redis.call('SADD', restored_key, edge) end
return back
