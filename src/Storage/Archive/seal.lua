-- After sessions have ended in the archive: no read of the archive from before is written any more, and the ids stay ended.
-- Everything here is allowed in a full Redis; a tombstone that it refuses only saves reads of the archive.
-- KEYS: fence, index, then tombstone and record of each session
-- ARGV: life of a tombstone ms, 1 to end a record that is no alias, session ids
-- Returns the number of records ended
--@include Sessions/record.lua
redis.call('DEL', KEYS[1])
local ended = 0
for i = 3, #KEYS, 2 do
  redis.pcall('SET', KEYS[i], '', 'PX', ARGV[1])
  if ARGV[2] == '1' then
    local record = read_record(KEYS[i + 1])
    if record and not record.alias then
      redis.call('DEL', KEYS[i + 1])
      redis.pcall('ZREM', KEYS[2], ARGV[2 + (i - 1) / 2])
      ended = ended + 1
    end
  end
end
if ended > 0 then
  local last = redis.pcall('ZREVRANGE', KEYS[2], '0', '0', 'WITHSCORES')
  if not last.err then settle_index(KEYS[2], math.floor(now_us() / 1000)) end
end
return ended
