-- Records an event with Redis's time in a history that is there; a rotation takes the activities along
-- KEYS: history [, activities of the old id, of the new one]
-- ARGV: what stands before the time, what after, entries kept, life ms
-- Returns 1 recorded, 0 there is no history: no log-in was recorded, or the user has been erased
local t = redis.call('TIME')
local now = string.format('%.0f', tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000))
local recorded = redis.call('LPUSHX', KEYS[1], ARGV[1] .. now .. ':' .. ARGV[2]) > 0
if recorded then
  redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[3]) - 1)
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
if KEYS[2] and redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[3]) end
return recorded and 1 or 0
