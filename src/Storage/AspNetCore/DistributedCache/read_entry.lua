-- Slides an entry's expiry, never beyond its absolute end, and returns its bytes.
-- KEYS: entry    ARGV: 1 to return the bytes, 0 to only slide
-- Returns the bytes or 1; nil when there is no entry
local value = redis.pcall('GET', KEYS[1])
if type(value) ~= 'string' then return false end
local sliding, ends, at = string.match(value, '^1 (%d+) (%d+)\n()')
if not sliding then return false end
sliding, ends = tonumber(sliding), tonumber(ends)
local time = redis.call('TIME')
local left = ends - (tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000))
-- Redis would have removed it by now if its key had not lost its TTL.
if ends > 0 and left <= 0 then
  redis.call('DEL', KEYS[1])
  return false
end
if sliding > 0 then
  redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ends > 0 and math.min(sliding, left) or sliding))
end
return ARGV[1] == '1' and string.sub(value, at) or 1
