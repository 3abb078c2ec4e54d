-- Stores a loaded value if its lease still stands
-- KEYS: entry [, epoch of the user]
-- ARGV: the lease as stored, its epoch, value, life ms
-- Returns 1 stored, 0 not
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
if KEYS[2] and redis.call('GET', KEYS[2]) ~= ARGV[2] then
  redis.call('DEL', KEYS[1])
  return 0
end
redis.call('SET', KEYS[1], ARGV[3], 'PX', ARGV[4])
return 1
