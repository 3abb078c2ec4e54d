-- Looks again at one user's suspects of one kind of token, on the primary, and mends what is really wrong. Safe late and twice: only what is true
-- now counts. A token is valid only while its index names it, so nothing is ever put back: a record without a member is dead weight.
-- KEYS: index, generation
-- ARGV: act, look or spare (do not remove what lives or was revoked), tolerance ms, prefix of the user's records, shortest record, then pairs: id,
-- score that the sweep saw or ''
-- Returns a verdict for each pair: ok, expired, dangling, revoked, wrong_expiry, changed, refused (Redis is full), version, foreign
--@include Sessions/record.lua
--@include Tokens/token.lua
local mode, tolerance, prefix, shortest = ARGV[1], tonumber(ARGV[2]), ARGV[3], tonumber(ARGV[4])
local now = math.floor(now_us() / 1000)
local generation = read_generation(KEYS[2])
local index_foreign = type(redis.pcall('ZCARD', KEYS[1])) == 'table'
local changed, verdicts = false, {}

local function remove(id, record, harmless)
  if mode == 'look' or (mode == 'spare' and not harmless) then return end
  changed = true
  if record then redis.call('DEL', prefix .. id) end
  redis.call('ZREM', KEYS[1], id)
end

local function verdict(id, seen)
  if index_foreign then return 'foreign' end
  local score = tonumber(redis.call('ZSCORE', KEYS[1], id) or nil)
  if seen ~= '' and score ~= tonumber(seen) then return 'changed' end
  local record, why = read_token(prefix .. id, shortest)
  if not record and why ~= 'gone' then return why end
  if not record then
    if not score then return 'ok' end
    remove(id, nil, score <= now)
    return score <= now and 'expired' or 'dangling'
  end
  if now >= record.expires then
    remove(id, record, true)
    return 'expired'
  end
  if record.generation ~= generation or not score then
    remove(id, record, false)
    return 'revoked'
  end
  if math.abs(score - record.expires) <= tolerance then return 'ok' end
  if mode ~= 'look' then
    local added = redis.pcall('ZADD', KEYS[1], text(record.expires), id)
    if type(added) == 'table' then
      if string.find(added.err, 'OOM', 1, true) then return 'refused' end
      redis.call('ZADD', KEYS[1], text(record.expires), id)
    end
    changed = true
    live_until(KEYS[1], record.expires, now)
  end
  return 'wrong_expiry'
end

for i = 5, #ARGV, 2 do verdicts[#verdicts + 1] = verdict(ARGV[i], ARGV[i + 1]) end
if changed then
  local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
  if last and tonumber(last) > now then settle_index(KEYS[1], now) end
end
return verdicts
