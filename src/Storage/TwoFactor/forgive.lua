-- Forgives the attempts that count over all of a user's challenges. The last accepted time step stays: its code must not work again.
-- KEYS: user
-- Returns 1 if there was anything to forgive; 0 also for a record that cannot be read, which goes on denying
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include TwoFactor/two_factor.lua
local now = math.floor(now_us() / 1000)
local user = read_user(KEYS[1], now)
if not user or user.attempts == 0 then return 0 end
user.attempts = 0
write_user(KEYS[1], user, now)
return 1
