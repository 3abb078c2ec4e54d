-- Ends the families of one session. Runs before the session itself is ended, because its aliases lead to the id that a family holds.
-- KEYS: index    ARGV: prefix of the user's families, session id, prefix of the user's sessions
-- Returns how many were ended
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local ids = redis.pcall('ZRANGE', KEYS[1], '0', '-1')
if ids.err then return 0 end
local chain, ended = session_chain(ARGV[3], ARGV[2]), 0
for _, id in ipairs(ids) do
  local family = read_token(ARGV[1] .. id, FAMILY_SHORTEST)
  if family and chain[read_fields(family).session] then
    end_token(ARGV[1], id, KEYS[1], FAMILY_SHORTEST)
    ended = ended + 1
  end
end
return ended
