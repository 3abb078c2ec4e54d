-- GCRA: one cell a subject holds the time at which its bucket would be full again ("tat"), and what repeat offenders have earned.
-- Times are microseconds of Redis TIME. The same arithmetic in C#: RateCell.cs.
--   1:<tat>                                            no offence
--   1:<tat>:<blocked until>:<denials>:<level>:<since>  denials count towards the next block; level counts blocks; both fade from <since>
-- KEYS: cell
-- ARGV: cost (0 only looks), interval a permit us, burst, denials to a block (0: no penalty), first block us, longest block us, decay us
-- Returns {0 allowed | 1 denied | 2 penalized | -1 format not known, remaining, reset us, retry us, now us}
local t = redis.call('TIME')
local now = tonumber(t[1]) * 1000000 + tonumber(t[2])
local cost, interval, tolerance = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[2]) * tonumber(ARGV[3])
local threshold, first, longest, decay = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6]), tonumber(ARGV[7])

local tat, blocked, denials, level, since = now, 0, 0, 0, 0
local raw = redis.pcall('GET', KEYS[1])
if type(raw) == 'string' then
  local version = string.match(raw, '^(%d+):')
  if version and version ~= '1' then return { -1, 0, '0', '0', '0' } end
  local stored, rest = string.match(raw, '^1:(%d+)(.*)$')
  if stored then
    -- Never further ahead than a full bucket: the clock may have been set back, or the policy made smaller.
    tat = math.min(math.max(tonumber(stored), now), now + tolerance)
    local b, d, l, s = string.match(rest, '^:(%d+):(%d+):(%d+):(%d+)$')
    if b and threshold > 0 then
      blocked, since = math.min(tonumber(b), now + longest), math.min(tonumber(s), now + longest)
      denials, level = tonumber(d), tonumber(l)
    end
  end
end

if (denials > 0 or level > 0) and now - since >= decay then
  local faded = math.floor((now - since) / decay)
  denials, level, since = 0, math.max(0, level - faded), since + faded * decay
end

local ahead = tat + math.max(cost, 1) * interval
local decision, write = 0, false
if blocked > now then
  decision = 2
elseif ahead - now > tolerance then
  decision = 1
  if cost > 0 and threshold > 0 then
    write, denials, since = true, denials + 1, now
    if denials >= threshold then
      local block = math.min(first * 2 ^ level, longest)
      if block < longest then level = level + 1 else level = math.max(level, 1) end
      decision, denials, blocked = 2, 0, now + block
      since = blocked
    end
  end
elseif cost > 0 then
  tat, write = ahead, true
end

local function text(n) return string.format('%.0f', n) end
if write then
  local ends = math.max(tat, blocked)
  local value = '1:' .. text(tat)
  if denials > 0 or level > 0 then
    ends = math.max(ends, since + decay * math.max(level, 1))
    value = string.format('1:%.0f:%.0f:%.0f:%.0f:%.0f', tat, blocked, denials, level, since)
  end
  redis.call('SET', KEYS[1], value, 'PX', text(math.max(1, math.ceil((ends - now) / 1000))))
end

local held, remaining, retry = math.max(0, blocked - now), 0, 0
if held == 0 then remaining = math.floor((tolerance - (tat - now)) / interval) end
if decision > 0 then retry = math.max(held, ahead - tolerance - now, 0) end
return { decision, remaining, text(math.max(tat - now, held)), text(retry), text(now) }
