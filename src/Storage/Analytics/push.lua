-- Records one event with Redis's time; a rotation takes the activities along
-- KEYS: list [, activities of the old id, of the new one]
-- ARGV: what stands before the time, what after, entries kept, life ms
local t = redis.call('TIME')
local now = string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))
redis.call('LPUSH', KEYS[1], ARGV[1] .. now .. ':' .. ARGV[2])
redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[3]) - 1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
if KEYS[2] and redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[3]) end
return 1
