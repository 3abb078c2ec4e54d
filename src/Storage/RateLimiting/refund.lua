-- Gives back what a request was charged when another limit denied it.
-- What has passed since the charge is not given back: the bucket may have run dry in between, and then the charge is paid already.
-- KEYS: cell
-- ARGV: cost, interval a permit us, charged at us
-- Returns 1 if anything was given back
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local raw = redis.pcall('GET', KEYS[1])
if type(raw) ~= 'string' then return 0 end
local stored, rest = string.match(raw, '^1:(%d+)(.*)$')
local back = tonumber(ARGV[1]) * tonumber(ARGV[2]) - math.max(0, now - tonumber(ARGV[3]))
if not stored or back <= 0 or tonumber(stored) <= now then return 0 end
local tat = math.max(now, tonumber(stored) - back)
if rest == '' and tat <= now then
  redis.call('DEL', KEYS[1])
else
  -- The old life is long enough for the offences beside the cell, and never too short for a smaller tat.
  local ttl = redis.call('PTTL', KEYS[1])
  if ttl <= 0 then ttl = math.max(1, math.ceil((tat - now) / 1000)) end
  redis.call('SET', KEYS[1], string.format('1:%.0f', tat) .. rest, 'PX', string.format('%.0f', ttl))
end
return 1
