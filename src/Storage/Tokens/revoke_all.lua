-- Ends every record of one kind of a user. Without its index none of them is valid, whatever could not be deleted here.
-- KEYS: index    ARGV: prefix of the user's records, shortest record, most records to delete here
-- Returns how many were deleted
--@include Sessions/record.lua
--@include Tokens/token.lua
local ended, ids = 0, redis.pcall('ZRANGE', KEYS[1], '0', text(tonumber(ARGV[3]) - 1))
-- A key of another type is not ours; as an index it names nothing.
if ids.err then return 0 end
for _, id in ipairs(ids) do
  if end_token(ARGV[1], id, KEYS[1], tonumber(ARGV[2])) == 'ended' then ended = ended + 1 end
end
redis.call('UNLINK', KEYS[1])
return ended
