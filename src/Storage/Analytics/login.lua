-- Records a log-in of a user, if its session is still there: the user may have been erased since
-- KEYS: totals, devices, history, session
-- ARGV: started ms, event, device (or nothing), devices kept, events kept, life ms
-- Returns 1 recorded, 0 not
local started = tonumber(ARGV[1])
if redis.call('EXISTS', KEYS[4]) == 0 then return 0 end
-- Each life right behind its write: if the next key is of another type the script ends there.
redis.call('HINCRBY', KEYS[1], 'total', 1)
redis.call('PEXPIRE', KEYS[1], ARGV[6])
if started > (tonumber(redis.call('HGET', KEYS[1], 'last') or '0') or 0) then redis.call('HSET', KEYS[1], 'last', ARGV[1]) end
if ARGV[3] ~= '' then
  redis.call('ZADD', KEYS[2], ARGV[1], ARGV[3])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -(tonumber(ARGV[4]) + 1))
  redis.call('PEXPIRE', KEYS[2], ARGV[6])
end
redis.call('LPUSH', KEYS[3], 'L:' .. ARGV[1] .. ':' .. ARGV[2])
redis.call('LTRIM', KEYS[3], 0, tonumber(ARGV[5]) - 1)
redis.call('PEXPIRE', KEYS[3], ARGV[6])
return 1
