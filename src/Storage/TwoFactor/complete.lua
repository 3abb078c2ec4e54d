-- Ends a challenge whose code the host found right. A time step is accepted once for a user, and no earlier one after it.
-- KEYS: challenge, index, generation, user
-- ARGV: id, prefix of the user's challenges, time step or '', how long it is remembered ms
-- Returns {result, record}; result: completed, step_used, unattempted, or why there is no such challenge
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include TwoFactor/two_factor.lua
local now = math.floor(now_us() / 1000)
local challenge, why = live_challenge(ARGV[2], ARGV[1], KEYS[2], read_generation(KEYS[3]), now)
if not challenge then return { why } end
if challenge.attempts == 0 then return { 'unattempted', challenge.raw } end
local user
user, why = read_user(KEYS[4], now)
if not user then return { why } end
if ARGV[3] ~= '' then
  if tonumber(ARGV[3]) <= user.step then return { 'step_used', challenge.raw } end
  user.step, user.step_until = tonumber(ARGV[3]), now + tonumber(ARGV[4])
end
complete(ARGV[2], ARGV[1], KEYS[2], KEYS[4], user, now)
return { 'completed', challenge.raw }
