-- Ends one session. An alias ends with the session that it stands for, so that a log-out with the old id is a log-out,
-- however often the id was changed within the grace. Its refresh families end in the same script: one that is born or moved between two steps
-- would outlive the log-out.
-- KEYS: record, index, index of the user's refresh families, fence of the archive
-- ARGV: session id, prefix of the user's records, prefix of the user's refresh families, prefix of the marks of ended sessions, their life ms (0: there is
-- no archive)
-- Returns {what, the ids on the way}; what: 1 if something was ended, 0 if there was nothing, -1 if the record is of a format that this script does not know
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local id, key = ARGV[1], KEYS[1]
local ended, ids, now = 0, {}, math.floor(now_us() / 1000)
-- From where the aliases still lead, before they are gone; also when the session itself has idled out, or cannot be read.
local chain = session_chain(ARGV[2], id)
meet_marks(ARGV[4], ARGV[5], chain)
end_families(ARGV[3], KEYS[3], chain)
-- Ends by itself, because each alias is deleted on the way; the bound only guards the server against damaged data.
for _ = 1, 1000 do
  local record, why = read_record(key)
  if why == 'version' then return { -1, ids } end
  if why == 'foreign' then return { 0, ids } end
  -- The mark of a journalled revocation (Outage/replay_session.lua) stays: a host that holds the session in its memory must not move it here.
  if record and record.alias and record.target == NOBODY then break end
  ended = redis.call('DEL', key)
  -- pcall, because an index key of another type must not turn a log-out that has happened into an error.
  redis.pcall('ZREM', KEYS[2], id)
  seal(KEYS[4], ARGV[4], ARGV[5], id, record, now)
  ids[#ids + 1] = id
  if not record or not record.alias then break end
  id, key = record.target, ARGV[2] .. record.target
end
local last = redis.pcall('ZREVRANGE', KEYS[2], '0', '0', 'WITHSCORES')
if not last.err then settle_index(KEYS[2], now) end
return { ended, ids }
