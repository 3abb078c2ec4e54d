-- Takes over a session that was born in a host's memory, under its own id and with the life that is left to it.
-- KEYS: record, index, generation
-- ARGV: last moment at which this may happen us, when it was born us (both on this server's clock; the second rounded down), generation that this
--       host's own replay set or '', generation that the replay found or '', format version, flags, sliding s, then ms on this server's clock, rounded down:
--       created, last seen, authenticated, absolute expiry; longest possible session ms, session id, body
-- Returns moved; or late, revoked (the user's generation is younger than the session), exists, expired
--@include Sessions/record.lua
local us = now_us()
local now = math.floor(us / 1000)
-- A command that lay in a stopped server's buffer must not bring back what was revoked since.
if us > tonumber(ARGV[1]) then return 'late' end

local generation = read_generation(KEYS[3])
if not generation and redis.call('EXISTS', KEYS[3]) == 1 then return 'revoked' end
-- What this host's own replay set belongs to a revocation that the session has survived in memory; what that one found may not.
local bound = generation
if generation and ARGV[3] ~= '' and generation == tonumber(ARGV[3]) then bound = tonumber(ARGV[4]) end
if bound and tonumber(ARGV[2]) <= bound then return 'revoked' end

local version, flags, sliding = tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])
local created, seen, authenticated, absolute = tonumber(ARGV[8]), tonumber(ARGV[9]), tonumber(ARGV[10]), tonumber(ARGV[11])
local expires = expiry_of(seen, sliding * 1000, absolute)
if expires <= now then return 'expired' end

local fresh = not generation
if fresh then generation = us end
local record = string.char(version, flags) .. write_int(created, 6) .. write_int(seen, 6) .. write_int(absolute, 6)
  .. write_int(generation, 7) .. write_int(sliding, 4)
if version >= 2 then record = record .. write_int(authenticated, 6) end

-- Refuses, before the first write, if the index key is of another type.
redis.call('ZCARD', KEYS[2])
if not set_until(KEYS[1], record .. ARGV[14], expires, now, 'NX') then return 'exists' end
local longest = math.max(tonumber(ARGV[12]), absolute - now)
if fresh then
  redis.call('SET', KEYS[3], text(generation), 'PX', text(longest))
else
  live_until(KEYS[3], now + longest, now)
end
redis.call('ZADD', KEYS[2], text(expires), ARGV[13])
settle_index(KEYS[2], now)
return 'moved'
