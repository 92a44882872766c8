-- What every unit is at one revision: of slots the free places, of seats the owners of those that are not free. One
-- HGETALL: the caller does the rest.
-- KEYS state left places
-- ARGV epoch run_id kind
-- returns {epoch, rev, unit and left, flat | 'unit:ordinal' and owner, flat} or a failure
-- @include ../../sale-state/lua/guard.lua
local now, failure = guard()
if not now then return failure end
return {
  tonumber(epoch), tonumber(redis.call('HGET', state_key, 'rev')),
  redis.call('HGETALL', kind == 'seats' and places_key or left_key),
}
