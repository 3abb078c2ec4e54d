-- Where a session's id leads through the aliases of rotations. Changes nothing.
-- KEYS: record    ARGV: session id, prefix of the user's records
-- Returns the ids, the given one first
--@include Sessions/record.lua
local ids, id = {}, ARGV[1]
for _ = 1, 1000 do
  ids[#ids + 1] = id
  local record = read_record(ARGV[2] .. id)
  if not record or not record.alias or record.target == NOBODY then break end
  id = record.target
end
return ids
