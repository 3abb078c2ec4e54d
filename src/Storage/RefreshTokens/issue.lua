-- Starts a family, for a session or on its own.
-- KEYS: family, index, generation
-- ARGV: family id, prefix of the user's families, hash of the token, session id or '', prefix of the user's sessions, life ms, cap, user id
-- Returns {'issued', record, families that had to leave}, or {'session'} if the session is not valid
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local us = now_us()
local now = math.floor(us / 1000)
local session = NONE
if ARGV[4] ~= '' then
  -- A log-out everywhere may have come between the session and this: then nothing may be born from it.
  local record
  session = ARGV[4]
  for _ = 1, 1000 do
    record = read_record(ARGV[5] .. session)
    if not record or not record.alias then break end
    session = record.target
  end
  if not record or record.alias or record.generation ~= read_generation(KEYS[3]) or now >= ends_at(record) then return { 'session' } end
end

-- An index key of another type refuses here, before the first write.
redis.call('ZCARD', KEYS[2])
local expires = now + tonumber(ARGV[6])
local generation = read_generation(KEYS[3]) or us
local record = token_header(now, expires, generation) .. write_int(now, 6) .. write_int(0, 4) .. ARGV[3] .. NONE .. session .. ARGV[8]
set_until(KEYS[1], record, expires, now)
generation_until(KEYS[3], us, expires)
return { 'issued', record, admit(ARGV[2], ARGV[1], KEYS[2], expires, tonumber(ARGV[7]), now, FAMILY_SHORTEST) }
