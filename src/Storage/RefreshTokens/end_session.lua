-- Ends the families of one session, which itself stays.
-- KEYS: index    ARGV: prefix of the user's families, session id, prefix of the user's sessions
-- Returns how many were ended
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
return end_families(ARGV[1], KEYS[1], session_chain(ARGV[3], ARGV[2]))
