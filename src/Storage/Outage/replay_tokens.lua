-- Carries out a journalled "end all tokens of this kind of a user": those that existed at that time end.
-- KEYS: index    ARGV: prefix of the user's records, shortest record, most records to look at, time of the revocation (us, rounded up)
-- Returns how many were ended
--@include Sessions/record.lua
--@include Tokens/token.lua
local ids, ended = redis.pcall('ZRANGE', KEYS[1], '0', text(tonumber(ARGV[3]) - 1)), 0
if ids.err then return 0 end
for _, id in ipairs(ids) do
  local record = read_token(ARGV[1] .. id, tonumber(ARGV[2]))
  -- One that cannot be read tells no time; out of the index it is not valid.
  if not record or record.created * 1000 <= tonumber(ARGV[4]) then
    if end_token(ARGV[1], id, KEYS[1], tonumber(ARGV[2])) == 'ended' then ended = ended + 1 end
  end
end
return ended
