-- What an edge needs to know the whole line: where it stands, and those whose sequence is of an older epoch, in pages.
-- KEYS state queue
-- ARGV epoch run_id after limit
-- after is the last sequence of the page before, or 0.
-- returns {epoch, head_seq, n, lowest sequence of this epoch in the line or '', [sequences of older epochs]} or a failure
-- @include ../../sale-state/lua/guard.lua
local now, failure = guard()
if not now then return failure end

local first_of_epoch = whole(epoch * 4294967296)
local older = redis.call('ZRANGEBYSCORE', queue_key, '(' .. after, '(' .. first_of_epoch, 'WITHSCORES', 'LIMIT', 0, limit)
local sequences = {}
for index = 2, #older, 2 do sequences[#sequences + 1] = whole(tonumber(older[index])) end
local lowest = redis.call('ZRANGEBYSCORE', queue_key, first_of_epoch, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)[2]
local s = redis.call('HMGET', state_key, 'head_seq', 'n')
return { tonumber(epoch), tonumber(s[1] or '0'), tonumber(s[2] or '0'), lowest and whole(tonumber(lowest)) or '', sequences }
