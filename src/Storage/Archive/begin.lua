-- Begins a read of the archive. The fence stands until something of the user ends; what was read behind a fence that is gone is not written.
-- KEYS: fence, generation, tombstone    ARGV: new fence, its life ms
-- Returns {fence or '' if Redis is full, 1 if the session has been ended, generation or ''}
--@include Sessions/record.lua
local fence = redis.pcall('GET', KEYS[1])
if type(fence) == 'string' then
  -- Shared: it says only that nothing of the user has ended since it was put up.
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
else
  local set = redis.pcall('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
  fence = type(set) == 'table' and set.err and '' or ARGV[1]
end
local generation = read_generation(KEYS[2])
return { fence, redis.call('EXISTS', KEYS[3]), generation and text(generation) or '' }
