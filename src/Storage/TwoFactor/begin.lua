-- Begins a challenge, unless the user has made too many attempts over all of them.
-- KEYS: challenge, index, generation, user
-- ARGV: id, prefix of the user's challenges, life ms, cap, most attempts a user, attempts, limit and code, then texts (the record's rest)
-- Returns {'begun', record, challenges that had to leave}, {'user_locked', ms until it ends}, or {'foreign'} or {'version'} for the user's record
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include TwoFactor/two_factor.lua
local us = now_us()
local now = math.floor(us / 1000)
local user, why = read_user(KEYS[4], now)
if not user then return { why } end
if user.attempts >= tonumber(ARGV[5]) then return { 'user_locked', text(user.window - now) } end

-- An index key of another type refuses here, before the first write.
redis.call('ZCARD', KEYS[2])
local expires = now + tonumber(ARGV[3])
local record = token_header(now, expires, read_generation(KEYS[3]) or us) .. ARGV[6]
set_until(KEYS[1], record, expires, now)
generation_until(KEYS[3], us, expires)
return { 'begun', record, admit(ARGV[2], ARGV[1], KEYS[2], expires, tonumber(ARGV[4]), now, CHALLENGE_SHORTEST) }
