-- Reads a value, or takes the lease to load it
-- KEYS: entry [, epoch of the user]
-- ARGV: token of 22 characters, lease ms, new epoch, epoch's life ms
-- Returns {hit, value, pttl}, {held} or {leased, epoch}
local epoch = ''
if KEYS[2] then
  epoch = redis.call('GET', KEYS[2])
  if not epoch then
    epoch = ARGV[3]
    redis.call('SET', KEYS[2], epoch, 'PX', ARGV[4])
  elseif redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then
    -- It outlives every value that names it.
    redis.call('PEXPIRE', KEYS[2], ARGV[4])
  end
end
local value = redis.call('GET', KEYS[1])
if value then
  local mark = string.sub(value, 1, 2)
  if mark == '1L' then
    if string.sub(value, 25) == epoch then return {'held'} end
  elseif mark == '1V' or mark == '1N' then
    if string.sub(value, 3, 2 + #epoch) == epoch then return {'hit', value, redis.call('PTTL', KEYS[1])} end
  else
    -- A newer program's; not ours to overwrite.
    return {'held'}
  end
end
redis.call('SET', KEYS[1], '1L' .. ARGV[1] .. epoch, 'PX', ARGV[2])
return {'leased', epoch}
