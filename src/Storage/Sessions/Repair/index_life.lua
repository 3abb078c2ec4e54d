-- Makes an index live as long as its longest session.
-- KEYS: index    ARGV: 1 to only look, tolerance ms
-- Returns ok, gone, wrong_expiry or no_ttl
--@include Sessions/record.lua
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then return 'gone' end
local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
local now = math.floor(now_us() / 1000)
local ttl = redis.call('PTTL', KEYS[1])
local expires = math.max(tonumber(last[2]), now + 1)
if ttl >= 0 and math.abs(now + ttl - expires) <= tonumber(ARGV[2]) then return 'ok' end
if ARGV[1] ~= '1' then redis.call('PEXPIREAT', KEYS[1], text(expires)) end
return ttl < 0 and 'no_ttl' or 'wrong_expiry'
