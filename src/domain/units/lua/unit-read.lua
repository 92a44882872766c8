-- One unit: what is left of it, and of a seat whose it is and until when.
-- KEYS state left places holds
-- ARGV epoch run_id unit
-- returns {left, owner of its first place or '', expires_ms of the hold on it or ''} or a failure
-- @include ../../sale-state/lua/guard.lua
local now, failure = guard()
if not now then return failure end
local owner = redis.call('HGET', places_key, unit .. ':1') or ''
local hold = string.match(owner, '^h:(.+)$')
local record = hold and redis.call('HGET', holds_key, hold)
return { tonumber(redis.call('HGET', left_key, unit) or '0'), owner, record and whole(cjson.decode(record).expires) or '' }
