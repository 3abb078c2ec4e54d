-- Stores an entry with its lives; the key always gets a TTL.
-- KEYS: entry    ARGV: sliding ms or 0, ms until the absolute end or 0 (not both 0), bytes
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local sliding, life = tonumber(ARGV[1]), tonumber(ARGV[2])
local ends = life > 0 and now + life or 0
local ttl = sliding
if sliding == 0 or (life > 0 and life < sliding) then ttl = life end
redis.call('SET', KEYS[1], '1 ' .. ARGV[1] .. ' ' .. string.format('%.0f', ends) .. '\n' .. ARGV[3], 'PX', string.format('%.0f', ttl))
return 1
