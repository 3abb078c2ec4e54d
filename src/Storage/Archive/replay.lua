-- Ends again what the archive says has ended since, in a Redis that went back in time: records, and the refresh families bound to them. What was rotated
-- takes its families along, as the rotation did.
-- KEYS: fence, index, index of the user's refresh families
-- ARGV: life of a tombstone ms, prefix of the tombstones, of the user's records, of the user's refresh families, then of each session, in the order in
-- which they ended: its id, and the one that replaced it or '' if it was revoked
-- Returns {records ended, families ended}
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local now, ended, families = math.floor(now_us() / 1000), 0, 0
redis.call('DEL', KEYS[1])
for i = 5, #ARGV, 2 do
  local id, successor = ARGV[i], ARGV[i + 1]
  redis.pcall('SET', ARGV[2] .. id, '', 'PX', ARGV[1])
  local record = read_record(ARGV[3] .. id)
  if record and not record.alias then
    redis.call('DEL', ARGV[3] .. id)
    redis.pcall('ZREM', KEYS[2], id)
    ended = ended + 1
  end
  if successor == '' then
    families = families + end_families(ARGV[4], KEYS[3], { [id] = true })
  else
    move_families(ARGV[4], KEYS[3], id, successor, now)
  end
end
if ended > 0 then
  local last = redis.pcall('ZREVRANGE', KEYS[2], '0', '0', 'WITHSCORES')
  if not last.err then settle_index(KEYS[2], now) end
end
return { ended, families }
