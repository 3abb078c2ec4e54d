-- The layout of a challenge after the header of Tokens/token.lua; C#'s side is ChallengeFormat.cs.
--   bytes 22-23  attempts     bytes 24-25  most attempts     bytes 26-47  hash of a sent code (22 dots without one), then texts that no script reads
-- and of what is remembered of a user beyond one challenge:
--   byte 1       format version (1)        byte 2       flags (0)
--   bytes 3-8    end of the window, ms     bytes 9-12   attempts in it
--   bytes 13-19  last accepted time step   bytes 20-25  until when it is remembered, ms
local CHALLENGE_SHORTEST = 52

local function live_challenge(prefix, id, index, generation, now)
  local challenge, why = live_token(prefix, id, index, generation, now, CHALLENGE_SHORTEST)
  if not challenge then return nil, why end
  challenge.attempts, challenge.most = read_int(challenge.raw, 22, 23), read_int(challenge.raw, 24, 25)
  challenge.code = string.sub(challenge.raw, 26, 47)
  return challenge
end

-- A user without a record has made no attempts. One that cannot be read denies: to forget it would give the attempts back.
local function read_user(key, now)
  local raw = redis.pcall('GET', key)
  if type(raw) == 'table' then return nil, 'foreign' end
  if not raw then return { window = 0, attempts = 0, step = 0, step_until = 0 } end
  if (string.byte(raw, 1) or 0) > 1 then return nil, 'version' end
  if #raw ~= 25 or string.byte(raw, 1) ~= 1 then return nil, 'foreign' end
  local user = { window = read_int(raw, 3, 8), attempts = read_int(raw, 9, 12), step = read_int(raw, 13, 19), step_until = read_int(raw, 20, 25) }
  if now >= user.window then user.attempts = 0 end
  if now >= user.step_until then user.step = 0 end
  return user
end

local function write_user(key, user, now)
  local life = math.max(user.attempts > 0 and user.window or 0, user.step > 0 and user.step_until or 0) - now
  if life <= 0 then
    redis.call('DEL', key)
    return
  end
  redis.call('SET', key, string.char(1, 0) .. write_int(user.window, 6) .. write_int(user.attempts, 4) .. write_int(user.step, 7)
    .. write_int(user.step_until, 6), 'PX', text(life))
end

-- The second factor is proved: the challenge is used up, and earlier mistakes are forgiven.
local function complete(prefix, id, index, user_key, user, now)
  end_token(prefix, id, index, CHALLENGE_SHORTEST)
  user.attempts = 0
  write_user(user_key, user, now)
end
