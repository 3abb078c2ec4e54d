-- Takes address and user agent out of a session's record once their time is over.
-- KEYS: record    ARGV: 1 to only look, how long they are kept ms
-- Returns 1 if there were any to take out
--@include Sessions/record.lua
local record = read_record(KEYS[1])
local now, ttl = math.floor(now_us() / 1000), redis.call('PTTL', KEYS[1])
-- One without a TTL is given one first, by another script.
if not record or ttl <= 0 then return 0 end
local bare = without_details(record, tonumber(ARGV[2]), now)
if not bare then return 0 end
if ARGV[1] ~= '1' then
  -- The TTL first, which a full Redis allows, and after it the write.
  redis.call('PEXPIRE', KEYS[1], text(ttl))
  redis.call('SET', KEYS[1], bare, 'PX', text(ttl))
end
return 1
