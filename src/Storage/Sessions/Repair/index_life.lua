-- Makes an index live as long as its longest session.
-- KEYS: index    ARGV: 1 to only look, tolerance ms
-- Returns ok, gone, foreign, wrong_expiry (would have died before its session), too_long or no_ttl
--@include Sessions/record.lua
local last = redis.pcall('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last.err then return 'foreign' end
if #last == 0 then return 'gone' end
local now = math.floor(now_us() / 1000)
local ttl = redis.call('PTTL', KEYS[1])
local expires = index_end(last[2], now)
local difference = now + ttl - expires
if ttl >= 0 and math.abs(difference) <= tonumber(ARGV[2]) then return 'ok' end
if ARGV[1] ~= '1' then redis.call('PEXPIREAT', KEYS[1], text(expires)) end
if ttl < 0 then return 'no_ttl' end
return difference > 0 and 'too_long' or 'wrong_expiry'
