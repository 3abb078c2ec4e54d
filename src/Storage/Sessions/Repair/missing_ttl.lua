-- Gives a key without a TTL the one that it should have, or removes it.
-- KEYS: key, for a session also its index
-- ARGV: 1 to only look, kind (session, index, other), TTL ms for other kinds and aliases, 1 to remove other kinds instead, session id
-- Returns ok (has one), gone, repaired, removed, version, foreign
--@include Sessions/record.lua
local look_only = ARGV[1] == '1'
local ttl = redis.call('PTTL', KEYS[1])
if ttl == -2 then return 'gone' end
if ttl >= 0 then return 'ok' end
local now = math.floor(now_us() / 1000)

local function end_at(at)
  if at <= now then
    if not look_only then
      redis.call('DEL', KEYS[1])
      if KEYS[2] then redis.pcall('ZREM', KEYS[2], ARGV[5]) end
    end
    return 'removed'
  end
  if not look_only then redis.call('PEXPIREAT', KEYS[1], text(at)) end
  return 'repaired'
end

if ARGV[2] == 'session' then
  local record, why = read_record(KEYS[1])
  if not record then return why end
  if record.alias then return end_at(now + tonumber(ARGV[3])) end
  return end_at(ends_at(record))
end
if ARGV[2] == 'index' then
  local last = redis.pcall('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
  if last.err then return 'foreign' end
  -- An hour when every score is in the past: a live member with a wrong score needs its index till it is mended.
  return end_at(tonumber(last[2]) > now and index_end(last[2], now) or now + 3600000)
end
if ARGV[4] == '1' then
  if not look_only then redis.call('UNLINK', KEYS[1]) end
  return 'removed'
end
return end_at(now + tonumber(ARGV[3]))
