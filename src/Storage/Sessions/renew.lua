-- Marks a session as seen now and slides its expiry. Patches the record in place and does nothing if it is gone:
-- a late renewal never brings a revoked session back.
-- KEYS: record, index, generation    ARGV: session id, how long address and user agent are kept ms, or -1
-- Returns {result, last seen ms, expires ms}; result: renewed, alias, gone, revoked, expired, foreign, version
--@include Sessions/record.lua
local record, why = read_record(KEYS[1])
if not record then return { why } end
if record.alias then return { 'alias' } end
if read_generation(KEYS[3]) ~= record.generation then return { 'revoked' } end

local now = math.floor(now_us() / 1000)
-- Redis would have removed it by now if its key had not lost its TTL.
if now >= ends_at(record) then
  redis.call('DEL', KEYS[1])
  redis.call('ZREM', KEYS[2], ARGV[1])
  settle_index(KEYS[2], now)
  return { 'expired' }
end
local expires = expiry_of(now, record.sliding, record.absolute)
-- The TTL first: a full Redis allows that, and after it the two writes that change bytes in place, so active users stay logged in.
redis.call('PEXPIREAT', KEYS[1], text(expires))
local bare = without_details(record, tonumber(ARGV[2]), now)
if bare then set_until(KEYS[1], bare, expires, now) end
redis.call('SETRANGE', KEYS[1], '8', write_int(now, 6))
redis.call('ZADD', KEYS[2], text(expires), ARGV[1])
settle_index(KEYS[2], now)
return { 'renewed', text(now), text(expires) }
