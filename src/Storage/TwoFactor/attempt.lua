-- Counts an attempt before its code is looked at, so that parallel guesses cannot be more than the limit; compares a sent code.
-- KEYS: challenge, index, generation, user
-- ARGV: id, prefix of the user's challenges, most attempts a user, window ms, hash of the code to compare or ''
-- Returns {result, record, ms until a user's lock ends}; result: allowed (the host compares the code), completed, wrong, locked, user_locked,
-- or why there is no such challenge: gone, revoked, expired, foreign, version
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include TwoFactor/two_factor.lua
local now = math.floor(now_us() / 1000)
local challenge, why = live_challenge(ARGV[2], ARGV[1], KEYS[2], read_generation(KEYS[3]), now)
if not challenge then return { why } end
local user
user, why = read_user(KEYS[4], now)
if not user then return { why } end
if user.attempts >= tonumber(ARGV[3]) then return { 'user_locked', challenge.raw, text(user.window - now) } end
if challenge.attempts >= challenge.most then return { 'locked', challenge.raw, '0' } end

challenge.attempts = challenge.attempts + 1
-- The TTL first, which a full Redis allows, and after it the writes.
redis.call('PEXPIREAT', KEYS[1], text(challenge.expires))
redis.call('SETRANGE', KEYS[1], '21', write_int(challenge.attempts, 2))
if user.attempts == 0 then user.window = now + tonumber(ARGV[4]) end
user.attempts = user.attempts + 1
write_user(KEYS[4], user, now)
local raw = string.sub(challenge.raw, 1, 21) .. write_int(challenge.attempts, 2) .. string.sub(challenge.raw, 24)
if ARGV[5] == '' then return { 'allowed', raw, '0' } end
if challenge.code == NONE or challenge.code ~= ARGV[5] then return { 'wrong', raw, '0' } end
complete(ARGV[2], ARGV[1], KEYS[2], KEYS[4], user, now)
return { 'completed', raw, '0' }
