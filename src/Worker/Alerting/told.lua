-- Notes which alerts have been told, so that a replica can tell what another one found and never told.
-- KEYS: told (a hash: alert's identity -> the severity that was told; an alert whose end was told is not in it)
-- ARGV: identity, severity or '' (its end), 'set' (it was told) or 'claim' (tell it, if nobody has), life of the key ms
-- Returns 1 when it is noted now, 0 when a claim finds that it was told
local known = redis.call('HGET', KEYS[1], ARGV[1]) or ''
if ARGV[3] == 'claim' and known == ARGV[2] then return 0 end
if ARGV[2] == '' then
  redis.call('HDEL', KEYS[1], ARGV[1])
else
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return 1
