-- After the generation has changed: the families of a kept session get the new one, those made since stay, all others end.
-- KEYS: index, generation    ARGV: prefix of the user's families, id of the kept session or '', prefix of the user's sessions
-- Returns how many were ended
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local ids = redis.pcall('ZRANGE', KEYS[1], '0', '-1')
if ids.err then return 0 end
local now, generation, ended = math.floor(now_us() / 1000), read_generation(KEYS[2]), 0
local chain, session = {}, nil
if ARGV[2] ~= '' then chain, session = session_chain(ARGV[3], ARGV[2]) end
-- Judged here and not by the caller, because the next log-out everywhere may have come between.
local kept = session and session.generation == generation and now < ends_at(session)
for _, id in ipairs(ids) do
  local family = read_token(ARGV[1] .. id, FAMILY_SHORTEST)
  if family and kept and family.generation ~= generation and now < family.expires and chain[read_fields(family).session] then
    family.generation = generation
    write_family(ARGV[1] .. id, family)
    live_until(KEYS[2], family.expires, now)
  elseif not (family and family.generation == generation) and end_token(ARGV[1], id, KEYS[1], FAMILY_SHORTEST) == 'ended' then
    ended = ended + 1
  end
end
return ended
