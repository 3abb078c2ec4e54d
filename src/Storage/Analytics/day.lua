-- Counts a log-in and its user for a day
-- KEYS: log-ins, users
-- ARGV: user, life ms
-- Each life right behind its write: if the next key is of another type the script ends there.
redis.call('INCR', KEYS[1])
redis.call('PEXPIRE', KEYS[1], ARGV[2])
redis.call('PFADD', KEYS[2], ARGV[1])
redis.call('PEXPIRE', KEYS[2], ARGV[2])
return 1
