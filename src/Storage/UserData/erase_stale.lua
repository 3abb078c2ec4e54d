-- Removes a key that a walk found after the user was erased, unless it belongs to a log-in since then.
-- KEYS: key, generation, cache epoch, for an activity also its session
-- ARGV: kind: session, token, activity or cache
-- Returns 1 if it was removed
--@include Sessions/record.lua
--@include Tokens/token.lua
local generation = read_generation(KEYS[2])
local keep = false
if ARGV[1] == 'session' or ARGV[1] == 'activity' then
  local record = read_record(ARGV[1] == 'activity' and KEYS[4] or KEYS[1])
  keep = record and generation and record.generation == generation
elseif ARGV[1] == 'token' then
  local record = read_token(KEYS[1], TOKEN_HEADER)
  keep = record and generation and record.generation == generation
else
  local epoch, value = redis.pcall('GET', KEYS[3]), redis.pcall('GET', KEYS[1])
  -- Of a lease the epoch comes after its token.
  keep = type(epoch) == 'string' and type(value) == 'string'
    and (string.sub(value, 3, 2 + #epoch) == epoch or string.sub(value, 25, 24 + #epoch) == epoch)
end
if keep then return 0 end
return redis.call('UNLINK', KEYS[1])
