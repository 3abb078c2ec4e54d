-- Issues a one-time token; one more than the cap lets the one leave that would expire first.
-- KEYS: record, index, generation    ARGV: id, prefix of the user's tokens, shortest record, life ms, cap, body
-- Returns {record, tokens that had to leave}
--@include Sessions/record.lua
--@include Tokens/token.lua
local us = now_us()
local now = math.floor(us / 1000)
-- An index key of another type refuses here, before the first write.
redis.call('ZCARD', KEYS[2])
local expires = now + tonumber(ARGV[4])
local record = token_header(now, expires, read_generation(KEYS[3]) or us) .. ARGV[6]
set_until(KEYS[1], record, expires, now)
generation_until(KEYS[3], us, expires)
return { record, admit(ARGV[2], ARGV[1], KEYS[2], expires, tonumber(ARGV[5]), now, tonumber(ARGV[3])) }
