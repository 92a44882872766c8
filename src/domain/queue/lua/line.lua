-- Who is in the line: every script that changes it does so here. Needs guard.lua and the keys queue, gone, moves.
-- Edges know the line as numbers: every n up to the last one given is in it unless its bit in `gone` is set. A move
-- tells them of a change: `+sequence` came (back), `-sequence` left, `<sequence` everybody up to this one has left.
-- When more moves gather than an update may carry they are dropped, and the next update says so.
local MOVES_MAX = 4000

-- the number of a sequence within this epoch; nil for one of an older epoch
local function number_of(sequence)
  local n = tonumber(sequence) - epoch * 4294967296
  if n > 0 then return n end
end

local function note_move(move)
  if redis.call('RPUSH', moves_key, move) > MOVES_MAX then
    redis.call('DEL', moves_key)
    redis.call('HSET', state_key, 'moves_lost', '1')
  end
end

local function mark_gone(sequence, bit)
  local n = number_of(sequence)
  if n then redis.call('SETBIT', gone_key, n, bit) end
end

local function enter_line(account, sequence)
  redis.call('ZADD', queue_key, sequence, account)
  mark_gone(sequence, 0)
  note_move('+' .. whole(tonumber(sequence)))
end

local function leave_line(account, sequence)
  redis.call('ZREM', queue_key, account)
  mark_gone(sequence, 1)
  note_move('-' .. whole(tonumber(sequence)))
end

-- takes up to `count`, some 1,500 at the most, from the front: account and sequence, flat
local function pop_front(count)
  local taken = redis.call('ZPOPMIN', queue_key, count)
  if #taken == 0 then return taken end
  -- one call for all: a call costs more than what it does
  local bits = {}
  for index = 2, #taken, 2 do
    local n = number_of(taken[index])
    if n then
      local at = #bits
      bits[at + 1], bits[at + 2], bits[at + 3], bits[at + 4] = 'SET', 'u1', whole(n), 1
    end
  end
  if #bits > 0 then redis.call('BITFIELD', gone_key, unpack(bits)) end
  local move = '<' .. whole(tonumber(taken[#taken]))
  local last = redis.call('LINDEX', moves_key, -1)
  if last and string.sub(last, 1, 1) == '<' then
    redis.call('LSET', moves_key, -1, move)
  else
    note_move(move)
  end
  return taken
end
