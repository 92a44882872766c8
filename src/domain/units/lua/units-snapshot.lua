-- The free places of every unit at one revision. One HGETALL: the caller does the rest.
-- KEYS state left
-- ARGV epoch run_id
-- returns {rev, unit and left, flat} or a failure
-- @include ../../sale-state/lua/guard.lua
local now, failure = guard()
if not now then return failure end
return { tonumber(redis.call('HGET', state_key, 'rev')), redis.call('HGETALL', left_key) }
