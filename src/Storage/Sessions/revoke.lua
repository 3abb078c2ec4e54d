-- Ends one session. An alias ends with the session that it stands for, so that a log-out with the old id is a log-out.
-- KEYS: record, index    ARGV: session id, prefix of the user's records
-- Returns 1 if something was ended, 0 if there was nothing, -1 if the record is of a format that this script does not know
--@include Sessions/record.lua
local record, why = read_record(KEYS[1])
if why == 'version' then return -1 end
if why == 'foreign' then return 0 end
local ended = redis.call('DEL', KEYS[1])
redis.call('ZREM', KEYS[2], ARGV[1])
if record and record.alias then
  ended = redis.call('DEL', ARGV[2] .. record.target)
  redis.call('ZREM', KEYS[2], record.target)
end
return ended
