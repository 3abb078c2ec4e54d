-- Looks whether a token could be used, and leaves it.
-- KEYS: record, index, generation    ARGV: id, prefix of the user's tokens, shortest record
-- Returns {'redeemable', record}, or why not: gone, revoked, expired, foreign, version
--@include Sessions/record.lua
--@include Tokens/token.lua
local now = math.floor(now_us() / 1000)
local token, why = live_token(ARGV[2], ARGV[1], KEYS[2], read_generation(KEYS[3]), now, tonumber(ARGV[3]))
if not token then return { why } end
return { 'redeemable', token.raw }
