-- Puts the sale's settings where scripts read them, makes `fence` the writer's, ends the wait for the line.
-- KEYS state
-- ARGV epoch run_id fence fields restored
-- fields is JSON [name, value, …], its first name `version`; an older version changes nothing. restored 1 lets admission begin.
-- returns 1 or a failure
-- publishes queue {type: status, status} when it changed
-- @include guard.lua
local now, failure = guard()
if not now then return failure end
local standing = redis.call('HMGET', state_key, 'fence', 'status', 'version')
if tonumber(standing[1]) > tonumber(fence) then return FENCED end
local fields_list = cjson.decode(fields)
local is_older = fields_list[1] == 'version' and tonumber(fields_list[2]) < tonumber(standing[3] or '0')
if not is_older then
  redis.call('HSET', state_key, unpack(fields_list))
  local drawn = redis.call('HMGET', state_key, 'drawn', 'drawn_status')
  if drawn[1] and drawn[2] then redis.call('HSET', state_key, 'status', drawn[2]) end
end
redis.call('HSET', state_key, 'fence', fence)
if restored == '1' then redis.call('HSET', state_key, 'restore_until', '0') end
local status = redis.call('HGET', state_key, 'status')
if status ~= standing[2] then publish('queue', cjson.encode({ type = 'status', status = status })) end
return 1
