-- Creates a session and its index entry, or neither.
-- KEYS: record, index, generation
-- ARGV: format version, flags, sliding s, absolute s, longest possible session ms, cap, session id, prefix of the user's records, body
-- Returns {created ms, expires ms, absolute ms, generation, sessions that had to leave}
--@include Sessions/record.lua
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

-- First a write that a full Redis refuses, so that a refusal leaves nothing half done.
redis.call('SET', KEYS[1], record .. ARGV[9], 'PX', text(expires - now))
if fresh then
  redis.call('SET', KEYS[3], text(generation), 'PX', text(longest))
else
  live_until(KEYS[3], now + longest, now)
end

redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', text(now))
local evicted = 0
-- Bounded, because an index that something else inflated must not stall the server; the next login goes on.
while evicted < 1000 and redis.call('ZCARD', KEYS[2]) >= cap do
  local oldest = redis.call('ZRANGE', KEYS[2], 0, 0)[1]
  redis.call('DEL', ARGV[8] .. oldest)
  redis.call('ZREM', KEYS[2], oldest)
  evicted = evicted + 1
end
redis.call('ZADD', KEYS[2], text(expires), ARGV[7])
live_until(KEYS[2], expires, now)
return { text(now), text(expires), text(absolute), text(generation), evicted }
