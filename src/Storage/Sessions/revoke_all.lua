-- Ends every session of a user, whatever the index knows: the generation changes first.
-- KEYS: generation, index
-- ARGV: prefix of the user's records, id to keep or '', longest possible session ms, most records to delete here
-- Returns {records ended, 1 if the kept session lives on, new generation or ''}
--@include Sessions/record.lua
local us = now_us()
local now = math.floor(us / 1000)
local before = read_generation(KEYS[1])
local generation = us
if before and before + 1 > us then generation = before + 1 end

local kept = nil
if ARGV[2] ~= '' then
  local record = read_record(ARGV[1] .. ARGV[2])
  if record and record.alias then
    ARGV[2] = record.target
    record = read_record(ARGV[1] .. record.target)
  end
  if record and not record.alias and record.generation == before then kept = record end
end

-- Deleting first makes room in a Redis at maxmemory and is never refused. If the new generation cannot be set all the same,
-- none is there, and a missing generation denies.
redis.call('DEL', KEYS[1])
local ended = 0
local ids = redis.call('ZRANGE', KEYS[2], 0, tonumber(ARGV[4]) - 1)
for _, id in ipairs(ids) do
  if not (kept and id == ARGV[2]) then ended = ended + redis.call('DEL', ARGV[1] .. id) end
end
redis.call('DEL', KEYS[2])

local set = redis.pcall('SET', KEYS[1], text(generation), 'PX', ARGV[3])
if type(set) == 'table' and set.err then return { ended, 0, '' } end
if not kept then return { ended, 0, text(generation) } end
local ttl = redis.call('PTTL', ARGV[1] .. ARGV[2])
local expires = ttl > 0 and now + ttl or expiry_of(now, kept.sliding, kept.absolute)
redis.call('PEXPIREAT', ARGV[1] .. ARGV[2], text(expires))
redis.call('SETRANGE', ARGV[1] .. ARGV[2], 20, write_int(generation, 7))
redis.call('ZADD', KEYS[2], text(expires), ARGV[2])
redis.call('PEXPIREAT', KEYS[2], text(expires))
return { ended, 1, text(generation) }
