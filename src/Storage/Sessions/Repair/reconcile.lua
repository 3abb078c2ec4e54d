-- Looks again at one user's suspects, on the primary, and mends what is really wrong. Safe late and twice: only what is true now counts.
-- KEYS: index, generation
-- ARGV: act, look or spare (do not remove what lives or was revoked), tolerance ms, prefix of the user's records, then pairs: session id, score that the sweep saw or ''
-- Returns {1 if the index was missing and is now made, then a verdict for each pair}
-- verdicts: ok, expired (a member whose time is over), dangling, missing, revoked, wrong_expiry, changed (moved since the sweep saw it),
-- refused (Redis is full), version, foreign
--@include Sessions/record.lua
local look_only, spare, tolerance, prefix = ARGV[1] == 'look', ARGV[1] == 'spare', tonumber(ARGV[2]), ARGV[3]
local now = math.floor(now_us() / 1000)
local generation = read_generation(KEYS[2])
local members = redis.pcall('ZCARD', KEYS[1])
local index_foreign, index_missing = type(members) == 'table', members == 0
local made, changed = 0, false
local verdicts = { 0 }

local function drop_member(id)
  changed = true
  if not look_only then redis.call('ZREM', KEYS[1], id) end
end

-- False when Redis is full: the other suspects, removals among them, must not suffer from that.
local function put_member(id, expires)
  changed = true
  if look_only then return true end
  local added = redis.pcall('ZADD', KEYS[1], text(expires), id)
  if type(added) == 'table' then
    if string.find(added.err, 'OOM', 1, true) then return false end
    redis.call('ZADD', KEYS[1], text(expires), id)
  end
  live_until(KEYS[1], expires, now)
  return true
end

local function verdict(id, seen)
  if index_foreign then return 'foreign' end
  local key = prefix .. id
  local score = redis.call('ZSCORE', KEYS[1], id)
  if seen ~= '' and (not score or tonumber(score) ~= tonumber(seen)) then return 'changed' end
  local record, why = read_record(key)
  if not record and why ~= 'gone' then return why end
  if not record or record.alias then
    if not score then return 'ok' end
    local expired = not record and tonumber(score) <= now
    if expired or not spare then drop_member(id) end
    return expired and 'expired' or 'dangling'
  end
  if record.generation ~= generation then
    if spare then return 'revoked' end
    if not look_only then redis.call('DEL', key) end
    drop_member(id)
    return 'revoked'
  end
  local expires = ends_by_ttl(key) or ends_at(record)
  if score and math.abs(tonumber(score) - expires) <= tolerance then return 'ok' end
  if not score and expires <= now then return 'ok' end
  if not put_member(id, expires) then return 'refused' end
  if score then return 'wrong_expiry' end
  if index_missing then made = 1 end
  return 'missing'
end

for i = 4, #ARGV, 2 do verdicts[#verdicts + 1] = verdict(ARGV[i], ARGV[i + 1]) end
verdicts[1] = made
if changed and not look_only then
  -- Not while every score is in the past: those that are wrong come in another call, and the index must live till then.
  local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')[2]
  if last and tonumber(last) > now then settle_index(KEYS[1], now) end
end
return verdicts
