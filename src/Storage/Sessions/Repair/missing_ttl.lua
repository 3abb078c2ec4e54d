-- Gives a key without a TTL the one that it should have, or removes it.
-- KEYS: key    ARGV: 1 to only look, kind (session, index, other), TTL ms for other kinds, 1 to remove other kinds instead
-- Returns ok (has one), gone, repaired, removed, version, foreign
--@include Sessions/record.lua
local look_only = ARGV[1] == '1'
local ttl = redis.call('PTTL', KEYS[1])
if ttl == -2 then return 'gone' end
if ttl >= 0 then return 'ok' end
local now = math.floor(now_us() / 1000)

local function end_at(at)
  if at <= now then
    if not look_only then redis.call('DEL', KEYS[1]) end
    return 'removed'
  end
  if not look_only then redis.call('PEXPIREAT', KEYS[1], text(at)) end
  return 'repaired'
end

if ARGV[2] == 'session' then
  local record, why = read_record(KEYS[1])
  if not record then return why end
  if record.alias then return end_at(now + tonumber(ARGV[3])) end
  return end_at(expiry_of(record.seen, record.sliding, record.absolute))
end
if ARGV[2] == 'index' then
  if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then return 'foreign' end
  return end_at(math.max(tonumber(redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]), now + 1))
end
if ARGV[4] == '1' then
  if not look_only then redis.call('UNLINK', KEYS[1]) end
  return 'removed'
end
return end_at(now + tonumber(ARGV[3]))
