-- Lengthens a lease that is still its holder's. One that ran out and that nobody took is still its holder's.
-- KEYS: lease
-- ARGV: holder, duration ms
-- Returns 1, or 0 when another has it or nobody
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
redis.call('HSET', KEYS[1], 'until', string.format('%.0f', now + tonumber(ARGV[2])))
return 1
