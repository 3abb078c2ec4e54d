-- Gives a lease back
-- KEYS: entry
-- ARGV: the lease as stored
-- Returns 1 given back, 0 it was not held
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
