-- Creates a session and its index entry, or neither.
-- KEYS: record, index, generation, index of the user's refresh families, fence of the archive
-- ARGV: format version, flags, sliding s, absolute s, longest possible session ms, cap, session id, prefix of the user's records, body,
-- prefix of the user's refresh families, prefix of the marks of ended sessions, their life ms (0: there is no archive)
-- Returns {created ms, expires ms, absolute ms, generation, how many sessions had to leave, their ids}, or {-1} if there is such a session already
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local us = now_us()
local now = math.floor(us / 1000)
local version, flags = tonumber(ARGV[1]), tonumber(ARGV[2])
local sliding, absolute = tonumber(ARGV[3]), now + tonumber(ARGV[4]) * 1000
local longest, cap = tonumber(ARGV[5]), tonumber(ARGV[6])

local generation = read_generation(KEYS[3])
local fresh = generation == nil
if fresh then generation = us end

local expires = expiry_of(now, sliding * 1000, absolute)
local record = string.char(version, flags) .. write_int(now, 6) .. write_int(now, 6) .. write_int(absolute, 6)
  .. write_int(generation, 7) .. write_int(sliding, 4)
if version >= 2 then record = record .. write_int(now, 6) end

-- An index key of another type refuses the log-in here, before the first write, instead of leaving half of one.
redis.call('ZCARD', KEYS[2])
-- First a write that a full Redis refuses, so that a refusal leaves nothing half done.
if not set_until(KEYS[1], record .. ARGV[9], expires, now, 'NX') then return { '-1' } end
if fresh then
  redis.call('SET', KEYS[3], text(generation), 'PX', text(longest))
else
  live_until(KEYS[3], now + longest, now)
end

-- Expired members leave; one whose session lives on had a wrong score. Bounded, because an index that something else inflated must not
-- stall the server; the next login goes on.
for _, id in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', text(now), 'LIMIT', '0', '100')) do
  local ttl = redis.call('PTTL', ARGV[8] .. id)
  if ttl == -2 then
    redis.call('ZREM', KEYS[2], id)
  elseif ttl > 0 then
    redis.call('ZADD', KEYS[2], text(now + ttl), id)
  end
end

-- The cap. A record of an unknown format stays, and something else's key is not deleted for having been named here.
local evicted, left = {}, {}
local over = redis.call('ZCARD', KEYS[2]) - cap + 1
if over > 0 then
  for _, id in ipairs(redis.call('ZRANGE', KEYS[2], '0', text(math.min(over, 1000) + 99))) do
    if over <= 0 then break end
    local what, record = end_record(ARGV[8], id)
    if what ~= 'version' then
      redis.call('ZREM', KEYS[2], id)
      over = over - 1
    end
    if what == 'ended' then
      evicted[#evicted + 1] = id
      left[id] = true
      seal(KEYS[5], ARGV[11], ARGV[12], id, record, now)
    end
  end
end
-- Else the refresh token of the session that had to leave would bring it back past the cap.
if #evicted > 0 then end_families(ARGV[10], KEYS[4], left) end
redis.call('ZADD', KEYS[2], text(expires), ARGV[7])
settle_index(KEYS[2], now)
return { text(now), text(expires), text(absolute), text(generation), #evicted, evicted }
