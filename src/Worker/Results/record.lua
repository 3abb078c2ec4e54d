-- Keeps the result of a run and the time of the last success.
-- KEYS: results (a list, newest first), last success
-- ARGV: result as JSON, how many to keep, life of the list ms, time of success in ms or '', life of the last success ms
redis.call('LPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], 0, tonumber(ARGV[2]) - 1)
redis.call('PEXPIRE', KEYS[1], ARGV[3])
if ARGV[4] ~= '' then
  local before = tonumber(redis.call('GET', KEYS[2]) or '')
  if not before or before < tonumber(ARGV[4]) then
    redis.call('SET', KEYS[2], ARGV[4], 'PX', ARGV[5])
  end
end
return 1
