-- Carries out a journalled "end this session", as Sessions/revoke.lua does, and leaves a mark in its place: another host may still hold the session in
-- its memory, and must not move it here. The mark is an alias of no generation, which denies.
-- KEYS: record, index, index of the user's refresh families, fence of the archive
-- ARGV: session id, prefix of the user's records, prefix of the user's refresh families, life of the mark ms, prefix of the archive's marks of ended
-- sessions, their life ms (0: there is no archive)
-- Returns {how many records were ended, or -1 if one is of a format that this script does not know, the ids to which the given one leads}
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local chain = session_chain(ARGV[2], ARGV[1])
meet_marks(ARGV[5], ARGV[6], chain)
end_families(ARGV[3], KEYS[3], chain)
local ended, newer, now, ids = 0, false, math.floor(now_us() / 1000), {}
for id in pairs(chain) do
  local what, record = end_record(ARGV[2], id)
  if what == 'version' then
    newer = true
  else
    redis.pcall('ZREM', KEYS[2], id)
    if what == 'ended' then ended = ended + 1 end
    seal(KEYS[4], ARGV[5], ARGV[6], id, record, now)
    if id ~= ARGV[1] then ids[#ids + 1] = id end
  end
end
local last = redis.pcall('ZREVRANGE', KEYS[2], '0', '0', 'WITHSCORES')
if not last.err then settle_index(KEYS[2], now) end
if newer then return { -1, ids } end
redis.call('SET', KEYS[1], string.char(1, ALIAS) .. write_int(0, 7) .. NOBODY, 'PX', ARGV[4], 'NX')
return { ended, ids }
