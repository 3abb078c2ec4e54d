-- Denies a token until a time, or for a time; never shortens a denial that is there.
-- KEYS: entry
-- ARGV: until ms since 1970 (0: by life), life ms, longest life ms, reason
-- Returns 1 denied, 0 that time is past, -1 it is too far away
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000 + math.floor(tonumber(t[2]) / 1000)
local ends, life = tonumber(ARGV[1]), tonumber(ARGV[2])
if ends == 0 then ends = now + life else life = ends - now end
if life <= 0 then return 0 end
if life > tonumber(ARGV[3]) then return -1 end
-- An entry that lost its TTL (-1) is written anew, and so is another type's key under this name.
if redis.call('PTTL', KEYS[1]) < life then
  redis.call('SET', KEYS[1], string.format('1:%.0f:%.0f:', now, ends) .. ARGV[4], 'PX', string.format('%.0f', life))
end
return 1
