-- Binds the families of a session to the id that a rotation gave it.
-- KEYS: index    ARGV: prefix of the user's families, old session id, new session id
-- Returns how many were bound anew
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local ids = redis.pcall('ZRANGE', KEYS[1], '0', '-1')
if ids.err then return 0 end
local moved = 0
for _, id in ipairs(ids) do
  local family = read_token(ARGV[1] .. id, FAMILY_SHORTEST)
  if family and read_fields(family).session == ARGV[2] and family.expires > math.floor(now_us() / 1000) then
    family.session = ARGV[3]
    write_family(ARGV[1] .. id, family)
    moved = moved + 1
  end
end
return moved
