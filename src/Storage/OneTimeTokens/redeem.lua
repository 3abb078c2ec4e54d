-- Uses a one-time token up: of any number of callers one gets it.
-- KEYS: record, index, generation    ARGV: id, prefix of the user's tokens, shortest record
-- Returns {'redeemed', record}, or why not: gone, revoked, expired, foreign, version
--@include Sessions/record.lua
--@include Tokens/token.lua
local now = math.floor(now_us() / 1000)
local token, why = live_token(ARGV[2], ARGV[1], KEYS[2], read_generation(KEYS[3]), now, tonumber(ARGV[3]))
if not token then return { why } end
end_token(ARGV[2], ARGV[1], KEYS[2], tonumber(ARGV[3]))
return { 'redeemed', token.raw }
