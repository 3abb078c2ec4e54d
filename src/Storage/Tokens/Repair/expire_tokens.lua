-- Drops the members of one token index whose time is over. A member whose token lives on is not dropped: its score was wrong and is mended.
-- KEYS: index    ARGV: 1 to only look, prefix of the user's records, shortest record, most members to look at, members to pass over
-- Returns {dropped, mended, looked at}
--@include Sessions/record.lua
--@include Tokens/token.lua
local now, look_only = math.floor(now_us() / 1000), ARGV[1] == '1'
local dropped, mended = 0, 0
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', text(now), 'LIMIT', ARGV[5], ARGV[4])
for _, id in ipairs(ids) do
  local record = read_token(ARGV[2] .. id, tonumber(ARGV[3]))
  if record and record.expires > now then
    -- A full Redis refuses this; dropping the others must go on.
    local added = look_only or redis.pcall('ZADD', KEYS[1], text(record.expires), id)
    if type(added) ~= 'table' then
      if not look_only then live_until(KEYS[1], record.expires, now) end
      mended = mended + 1
    end
  else
    dropped = dropped + 1
    if not look_only then
      if record then redis.call('DEL', ARGV[2] .. id) end
      redis.call('ZREM', KEYS[1], id)
    end
  end
end
return { dropped, mended, #ids }
