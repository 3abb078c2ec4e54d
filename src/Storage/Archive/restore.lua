-- Writes what was read from the archive, unless something of the user has ended meanwhile.
-- KEYS: fence, generation, and for a session: tombstone, record, index
-- ARGV: fence, generation, longest possible session ms, and for a session: its id, its record, when it expires ms
-- Returns restored; fenced: read again; ended; expired; present: there is a record already; newer: Redis's generation is above the archive's
--@include Sessions/record.lua
if redis.pcall('GET', KEYS[1]) ~= ARGV[1] then return 'fenced' end
local now = math.floor(now_us() / 1000)
local session = #KEYS > 2
if session then
  if redis.call('EXISTS', KEYS[3]) == 1 then return 'ended' end
  if redis.call('EXISTS', KEYS[4]) == 1 then return 'present' end
  if tonumber(ARGV[6]) <= now then return 'expired' end
end
local before, generation = read_generation(KEYS[2]), tonumber(ARGV[2])
if before and before > generation then return 'newer' end

if session then
  -- Refuses, before the first write, if the index key is of another type.
  redis.call('ZCARD', KEYS[5])
  set_until(KEYS[4], ARGV[5], tonumber(ARGV[6]), now)
end
if before == generation then
  live_until(KEYS[2], now + tonumber(ARGV[3]), now)
else
  redis.call('SET', KEYS[2], text(generation), 'PX', ARGV[3])
end
if session then
  redis.call('ZADD', KEYS[5], ARGV[6], ARGV[4])
  settle_index(KEYS[5], now)
end
return 'restored'
