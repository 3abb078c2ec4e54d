-- Mends one member of an index that another program writes, if what was seen of it is still so.
-- KEYS: index, session; without the session, which lies on another node of the cluster, the caller says what PTTL said of it a moment ago
-- ARGV: 'set' or 'zset', what to do (remove, add, score), member, score seen (or ''), how many ms of the expiry a score counts in (1 or 1000; '' for none),
-- tolerance ms, '1' when the program gives its indexes a TTL, PTTL of the session without the second key
-- Returns 'done' or 'changed'
local life = KEYS[2] and redis.call('PTTL', KEYS[2]) or tonumber(ARGV[8])
local index, sorted, what, member = KEYS[1], ARGV[1] == 'zset', ARGV[2], ARGV[3]
local unit = tonumber(ARGV[5])
local score
if sorted then
  score = redis.call('ZSCORE', index, member)
elseif redis.call('SISMEMBER', index, member) == 1 then
  score = ''
end
score = score or false
if what == 'remove' then
  if life ~= -2 or not score or (sorted and tonumber(score) ~= tonumber(ARGV[4])) then return 'changed' end
  redis.call(sorted and 'ZREM' or 'SREM', index, member)
  return 'done'
end
if life == -2 then return 'changed' end
local expires
if unit then
  -- A session without an end has no expiry that a score could say.
  if life < 0 then return 'changed' end
  local time = redis.call('TIME')
  expires = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000) + life
end
if what == 'score' then
  if not score or tonumber(score) ~= tonumber(ARGV[4]) or math.abs(tonumber(score) * unit - expires) <= tonumber(ARGV[6]) then return 'changed' end
  redis.call('ZADD', index, 'XX', string.format('%.0f', math.ceil(expires / unit)), member)
  return 'done'
end
if score then return 'changed' end
-- An index that is there without a TTL is left so: it may have members that live longer.
local index_life = redis.call('PTTL', index)
if sorted then
  redis.call('ZADD', index, 'NX', string.format('%.0f', math.ceil(expires / unit)), member)
else
  redis.call('SADD', index, member)
end
if ARGV[7] == '1' and life > 0 and index_life ~= -1 and index_life < life then
  redis.call('PEXPIRE', index, life)
end
return 'done'
