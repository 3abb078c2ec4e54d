-- Drops the members of one index whose time is over. A member whose session lives on is not dropped: its score was wrong and is mended.
-- KEYS: index    ARGV: 1 to only look, prefix of the user's records, most members to look at
-- Returns {dropped, mended, looked at}
--@include Sessions/record.lua
local now = math.floor(now_us() / 1000)
local dropped, mended = 0, 0
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', 0, ARGV[3])
for _, id in ipairs(ids) do
  local ttl = redis.call('PTTL', ARGV[2] .. id)
  if ttl == -2 then
    dropped = dropped + 1
    if ARGV[1] ~= '1' then redis.call('ZREM', KEYS[1], id) end
  elseif ttl > 0 then
    mended = mended + 1
    if ARGV[1] ~= '1' then
      redis.call('ZADD', KEYS[1], text(now + ttl), id)
      live_until(KEYS[1], now + ttl, now)
    end
  end
end
return { dropped, mended, #ids }
