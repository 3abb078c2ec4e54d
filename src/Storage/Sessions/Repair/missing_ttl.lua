-- Gives a key without a TTL the one that it should have, or removes it.
-- KEYS: key, for a session or a token also its index
-- ARGV: 1 to only look, kind (session, index, token, two_factor_user, denial, other), TTL ms for aliases and for what its value does not tell,
-- 1 to remove other kinds instead, id of a session or a token, shortest record of a token
-- Returns ok (has one), gone, repaired, removed, version, foreign
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include TwoFactor/two_factor.lua
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
if ARGV[2] == 'token' then
  local record, why = read_token(KEYS[1], tonumber(ARGV[6]))
  if not record then return why end
  return end_at(record.expires)
end
if ARGV[2] == 'two_factor_user' then
  local user, why = read_user(KEYS[1], now)
  if not user then return why end
  -- What counts no attempt and remembers no step any more is nothing.
  return end_at(math.max(user.attempts > 0 and user.window or 0, user.step > 0 and user.step_until or 0))
end
if ARGV[2] == 'denial' then
  local value = redis.pcall('GET', KEYS[1])
  local ends = type(value) == 'string' and string.match(value, '^1:%d+:(%d+):')
  -- One that cannot be read denies too.
  return end_at(ends and tonumber(ends) or now + tonumber(ARGV[3]))
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
