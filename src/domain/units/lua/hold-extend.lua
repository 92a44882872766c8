-- Gives a hold more time, once.
-- KEYS state holds hold_ends
-- ARGV epoch run_id account hold extend_ms
-- returns hold as JSON {account, places, expires, extended} or a failure
-- @include ../../sale-state/lua/guard.lua
local now, failure = guard()
if not now then return failure end

local text = redis.call('HGET', holds_key, hold)
local record = text and cjson.decode(text)
if not record or record.account ~= account or record.order or record.expires <= now then return NO_HOLD end
if record.extended then return EXTENDED end
record.expires = record.expires + extend_ms
record.extended = true
text = cjson.encode(record)
redis.call('HSET', holds_key, hold, text)
redis.call('ZADD', hold_ends_key, record.expires, hold)
return text
