-- Ends every session of a user, whatever the index knows: the generation changes first.
-- KEYS: generation, index
-- ARGV: prefix of the user's records, id to keep or '', longest possible session ms, most records to delete here,
--   and, optionally, the smallest new generation, in place of the time
-- Returns {records ended, 1 if the kept session lives on, new generation or ''}
--@include Sessions/record.lua
local us = now_us()
local now = math.floor(us / 1000)
local before = read_generation(KEYS[1])
local generation = ARGV[5] and tonumber(ARGV[5]) or us
if before and before + 1 > generation then generation = before + 1 end
local longest = tonumber(ARGV[3])

local kept, kept_id = nil, ARGV[2]
if kept_id ~= '' then
  local record = read_record(ARGV[1] .. kept_id)
  for _ = 1, 1000 do
    if not record or not record.alias then break end
    kept_id = record.target
    record = read_record(ARGV[1] .. kept_id)
  end
  if record and not record.alias and record.generation == before and ends_at(record) > now then
    kept = record
    -- It may have been created with a longer life than this host's default, and must not die with its generation.
    longest = math.max(longest, kept.absolute - now)
  end
end

meet(ARGV[1], KEYS[2], tonumber(ARGV[4]))
-- Deleting first makes room in a Redis at maxmemory and is never refused. If the new generation cannot be set all the same,
-- none is there, and a missing generation denies.
redis.call('DEL', KEYS[1])
local ended = 0
local ids = redis.pcall('ZRANGE', KEYS[2], '0', text(tonumber(ARGV[4]) - 1))
-- An index key of another type is not ours, and must not keep a revocation from happening.
local indexed = not ids.err
if indexed then
  for _, id in ipairs(ids) do
    if not (kept and id == kept_id) and end_record(ARGV[1], id) == 'ended' then ended = ended + 1 end
  end
  redis.call('UNLINK', KEYS[2])
end

local set = redis.pcall('SET', KEYS[1], text(generation), 'PX', text(longest))
if type(set) == 'table' and set.err then return { ended, 0, '' } end
if not kept then return { ended, 0, text(generation) } end
local expires = ends_at(kept)
redis.call('PEXPIREAT', ARGV[1] .. kept_id, text(expires))
redis.call('SETRANGE', ARGV[1] .. kept_id, '20', write_int(generation, 7))
if indexed then
  redis.call('ZADD', KEYS[2], text(expires), kept_id)
  settle_index(KEYS[2], now)
end
return { ended, 1, text(generation) }
