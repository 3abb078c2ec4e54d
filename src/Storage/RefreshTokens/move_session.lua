-- Binds the families of a session to another id of it.
-- KEYS: index    ARGV: prefix of the user's families, old session id, new session id
-- Returns how many were bound anew
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
return move_families(ARGV[1], KEYS[1], ARGV[2], ARGV[3], math.floor(now_us() / 1000))
