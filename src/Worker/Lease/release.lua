-- Gives a lease back with its due time not done, so that another replica can take it.
-- KEYS: lease
-- ARGV: holder
-- Returns 1, or 0 when another has it or nobody
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
redis.call('HDEL', KEYS[1], 'holder', 'until', 'replica')
return 1
