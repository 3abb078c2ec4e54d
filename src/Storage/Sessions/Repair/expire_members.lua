-- Drops the members of one index whose time is over. A member whose session lives on is not dropped: its score was wrong and is mended.
-- KEYS: index    ARGV: 1 to only look, prefix of the user's records, most members to look at, members to pass over
-- Returns {dropped, mended, looked at}; the rest of those looked at cannot be mended here and stays
--@include Sessions/record.lua
local now = math.floor(now_us() / 1000)
local dropped, mended = 0, 0

local function expires_of(key, ttl)
  local record, why = read_record(key)
  if record and record.alias then return nil end
  if ttl >= 0 then return now + ttl end
  -- Without a TTL only the record knows; one that nobody can read says nothing.
  return record and ends_at(record) or 0
end

local function mend(id, expires)
  if expires <= now then return end
  if ARGV[1] ~= '1' then
    -- A full Redis refuses this; dropping the others must go on.
    local added = redis.pcall('ZADD', KEYS[1], text(expires), id)
    if type(added) == 'table' then
      if string.find(added.err, 'OOM', 1, true) then return end
      redis.call('ZADD', KEYS[1], text(expires), id)
    end
    live_until(KEYS[1], expires, now)
  end
  mended = mended + 1
end

local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', ARGV[4], ARGV[3])
for _, id in ipairs(ids) do
  local key = ARGV[2] .. id
  local ttl = redis.call('PTTL', key)
  local expires = ttl ~= -2 and expires_of(key, ttl) or nil
  if expires then
    mend(id, expires)
  else
    dropped = dropped + 1
    if ARGV[1] ~= '1' then redis.call('ZREM', KEYS[1], id) end
  end
end
return { dropped, mended, #ids }
