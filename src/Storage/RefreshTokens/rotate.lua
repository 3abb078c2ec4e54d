-- Exchanges a refresh token for the next one of its family.
-- KEYS: family, index, generation, session index, fence of the archive
-- ARGV: family id, prefix of the user's families, hash of the token, hash of the next token, grace ms, prefix of the user's sessions,
-- prefix of the marks of ended sessions, their life ms (0: there is no archive)
-- Returns {result, record}; result: rotated, replaced (the token before the current one, within the grace), reused (the family, its session and
-- that session's other families are ended), gone, revoked, expired, foreign, version. A record comes with the first three.
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local now, generation = math.floor(now_us() / 1000), read_generation(KEYS[3])
local family, why = live_family(ARGV[2], ARGV[1], KEYS[2], generation, now)
if not family then return { why } end

if ARGV[3] == family.current then
  family.previous, family.current = family.current, ARGV[4]
  family.rotated, family.rotations = now, family.rotations + 1
  write_family(KEYS[1], family)
  live_until(KEYS[3], family.expires, now)
  return { 'rotated', family.raw }
end

-- The answer with the current token was lost, or two requests came at once. The current one has not been used, or this one would be older.
-- The grace counts from the first exchange, so that repeating does not lengthen it.
if ARGV[3] == family.previous and now - family.rotated < tonumber(ARGV[5]) then
  family.current = ARGV[4]
  write_family(KEYS[1], family)
  live_until(KEYS[3], family.expires, now)
  return { 'replaced', family.raw }
end

local chain = family.session ~= NONE and session_chain(ARGV[6], family.session)
if chain then
  meet(ARGV[2], KEYS[2], MOST_FAMILIES)
  meet_marks(ARGV[7], ARGV[8], chain)
end
end_token(ARGV[2], ARGV[1], KEYS[2], FAMILY_SHORTEST)
if chain then
  for id in pairs(chain) do
    local what, record = end_record(ARGV[6], id)
    if what == 'ended' then redis.pcall('ZREM', KEYS[4], id) end
    seal(KEYS[5], ARGV[7], ARGV[8], id, record, now)
  end
  end_families(ARGV[2], KEYS[2], chain)
  local last = redis.pcall('ZREVRANGE', KEYS[4], '0', '0', 'WITHSCORES')
  if not last.err then settle_index(KEYS[4], now) end
end
return { 'reused', family.raw }
