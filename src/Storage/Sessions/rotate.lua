-- Gives a session a new id. The old id answers for a grace as an alias. Created and absolute expiry stay as they were, and its refresh families
-- go with it, in the same script: a log-out by the new id must find them.
-- KEYS: old record, new record, index, generation, index of the user's refresh families, fence of the archive
-- ARGV: old id, new id, grace ms, longest possible session ms, 1 if the user has just proved who it is, format version, flags, body ('' keeps the old one),
-- prefix of the user's refresh families, prefix of the marks of ended sessions, their life ms (0: there is no archive)
-- Returns {result, created, seen, absolute, expires, generation, record}; result: rotated, alias, gone, revoked, expired, foreign, version
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local old, why = read_record(KEYS[1])
if not old then return { why } end
if old.alias then return { 'alias' } end
if read_generation(KEYS[4]) ~= old.generation then return { 'revoked' } end

local now = math.floor(now_us() / 1000)
local grace = tonumber(ARGV[3])
local expires = expiry_of(now, old.sliding, old.absolute)
-- By its record: a key that has lost its TTL must not be revived by a rotation.
if now >= ends_at(old) then return { 'expired' } end

local version, flags, body = old.version, string.byte(old.raw, 2), nil
local authenticated = old.version >= 2 and read_int(old.raw, 32, 37) or old.created
if ARGV[5] == '1' then authenticated = now end
if ARGV[8] ~= '' then
  flags, body = tonumber(ARGV[7]), ARGV[8]
else
  body = string.sub(old.raw, old.version >= 2 and 38 or 32)
end
-- Never back to an older format: who wrote this one knew that every reader understands it.
version = math.max(version, tonumber(ARGV[6]))
local record = string.char(version, flags) .. write_int(old.created, 6) .. write_int(now, 6) .. write_int(old.absolute, 6)
  .. write_int(old.generation, 7) .. write_int(old.sliding / 1000, 4)
if version >= 2 then record = record .. write_int(authenticated, 6) end
record = record .. body

-- Refuses, before the first write, if the index key is of another type.
redis.call('ZCARD', KEYS[3])
meet(ARGV[9], KEYS[5], MOST_FAMILIES)
meet_marks(ARGV[10], ARGV[11], { [ARGV[1]] = true })
set_until(KEYS[2], record, expires, now)
-- The alias must not outlive the new session either.
redis.call('SET', KEYS[1], string.char(1, ALIAS) .. write_int(old.generation, 7) .. ARGV[2], 'PX', text(math.min(grace, expires - now)))
redis.call('ZREM', KEYS[3], ARGV[1])
redis.call('ZADD', KEYS[3], text(expires), ARGV[2])
settle_index(KEYS[3], now)
seal(KEYS[6], ARGV[10], ARGV[11], ARGV[1], nil, now)
move_families(ARGV[9], KEYS[5], ARGV[1], ARGV[2], now)
live_until(KEYS[4], math.max(now + tonumber(ARGV[4]), old.absolute), now)
return { 'rotated', text(old.created), text(now), text(old.absolute), text(expires), text(old.generation), record }
