-- Records an activity of a session that is there, with Redis's time
-- KEYS: activities, session
-- ARGV: the activity, entries kept, life ms
-- Returns 1 recorded, 0 no such session
if redis.call('EXISTS', KEYS[2]) == 0 then return 0 end
local t = redis.call('TIME')
redis.call('LPUSH', KEYS[1], string.format('%.0f:', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)) .. ARGV[1])
redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[2]) - 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
