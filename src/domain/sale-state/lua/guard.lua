-- Part of every script of a sale. Needs the locals `state_key`, `epoch` and `run_id`.
-- The fields of the state hash:
--   epoch run_id fence ready offset_ms   which life this is, who writes, whether it is whole; tests alone set offset_ms
--   opened_at drawn   since when it is whole, its line drawn, or its gate at work again, ms; whether the drawn places of a lottery are in the line
--   version status drawn_status rate max_active token_ttl_ms hold_ttl_ms max_per_account grace_ms   the sale's settings, put there by its writer
--   n rev   last sequence number of the epoch, last revision of the units
--   arrivals_before   how many sequence numbers earlier epochs have given
--   head_seq head_at head_told moves_lost   the last head update: its number, when, what it said; moves dropped since
--   free sold total   places
--   restore_until   ms; nobody is admitted before, because the line is still being put back
--   credit credit_at pace_count full_at   the gate's smoothing credit, how many were admitted in the last minute, when
--   it last waited for room instead of the pace
local FORGOTTEN, OTHER_EPOCH, FENCED, CLOSED, NOT_IN_LINE = -1, -2, -3, -4, -5
local NO_ADMISSION, TAKEN, LIMIT, NO_HOLD, GRANTING = -6, -7, -8, -9, -10
local OPENED_LATER, LEFT_ALONE, EXTENDED = -11, -12, -13

-- now in ms by the clock of Redis, or nil and a failure
local function guard()
  local s = redis.call('HMGET', state_key, 'epoch', 'run_id', 'ready', 'offset_ms')
  if not s[1] or s[2] ~= run_id or s[3] ~= '1' then return nil, FORGOTTEN end
  if s[1] ~= epoch then return nil, OTHER_EPOCH end
  local time = redis.call('TIME')
  return time[1] * 1000 + math.floor(time[2] / 1000) + (tonumber(s[4]) or 0)
end

local function publish(channel, message)
  redis.call('PUBLISH', string.gsub(state_key, ':state$', ':ch:' .. channel), message)
end

-- A whole number below 2^53 as text; Lua's own conversion keeps 14 digits only.
local function whole(number)
  return string.format('%.0f', number)
end
