-- Ends one record.
-- KEYS: record, index    ARGV: id, prefix of the user's records, shortest record
-- Returns 1 if something was ended, 0 if there was nothing, -1 if the record is of a format that this script does not know (it is out of the index)
--@include Sessions/record.lua
--@include Tokens/token.lua
local what = end_token(ARGV[2], ARGV[1], KEYS[2], tonumber(ARGV[3]))
return what == 'ended' and 1 or what == 'version' and -1 or 0
