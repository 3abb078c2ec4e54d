-- The records of one kind of a user that may be used.
-- KEYS: index, generation    ARGV: prefix of the user's records, shortest record, most
-- Returns id, record, id, record, ... those that expire last first
--@include Sessions/record.lua
--@include Tokens/token.lua
local now, generation, found = math.floor(now_us() / 1000), read_generation(KEYS[2]), {}
local ids = redis.pcall('ZREVRANGE', KEYS[1], '0', text(tonumber(ARGV[3]) - 1))
if ids.err then return found end
for _, id in ipairs(ids) do
  local record = live_token(ARGV[1], id, KEYS[1], generation, now, tonumber(ARGV[2]))
  if record then
    found[#found + 1] = id
    found[#found + 1] = record.raw
  end
end
return found
