-- Binds a live family to a live session: the one that replaces a session which idled out.
-- KEYS: family, index, generation    ARGV: family id, prefix of the user's families, session id, prefix of the user's sessions
-- Returns bound, session (it is not valid), or why the family is not
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local now, generation = math.floor(now_us() / 1000), read_generation(KEYS[3])
local family, why = live_family(ARGV[2], ARGV[1], KEYS[2], generation, now)
if not family then return why end
local session = read_record(ARGV[4] .. ARGV[3])
if not session or session.alias or session.generation ~= generation or now >= ends_at(session) then return 'session' end
family.session = ARGV[3]
write_family(KEYS[1], family)
return 'bound'
