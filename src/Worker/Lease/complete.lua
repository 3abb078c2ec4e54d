-- Ends a lease and records its due time as done; only its holder can.
-- KEYS: lease
-- ARGV: holder, due in ms or '' (a run by hand)
-- Returns 1, or 0 when another has it or nobody
if redis.call('HGET', KEYS[1], 'holder') ~= ARGV[1] then return 0 end
-- Deleting comes first: a full Redis refuses the rest, and the lease must end all the same.
redis.call('HDEL', KEYS[1], 'holder', 'until', 'replica')
local done = tonumber(redis.call('HGET', KEYS[1], 'done') or '')
if ARGV[2] ~= '' and (not done or done < tonumber(ARGV[2])) then
  redis.call('HSET', KEYS[1], 'done', ARGV[2])
end
return 1
