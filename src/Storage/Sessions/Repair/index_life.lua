-- Makes an index live as long as its longest session.
-- KEYS: index    ARGV: 1 to only look, tolerance ms
-- Returns ok, gone, foreign, wrong_expiry or no_ttl
--@include Sessions/record.lua
local last = redis.pcall('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
if last.err then return 'foreign' end
if #last == 0 then return 'gone' end
local now = math.floor(now_us() / 1000)
-- Every score in the past: its members leave one by one, and a live one with a wrong score needs its index till it is mended.
if tonumber(last[2]) <= now then return 'ok' end
local ends = ends_by_ttl(KEYS[1])
if ends and math.abs(ends - index_end(last[2], now)) <= tonumber(ARGV[2]) then return 'ok' end
if ARGV[1] ~= '1' then settle_index(KEYS[1], now) end
return ends and 'wrong_expiry' or 'no_ttl'
