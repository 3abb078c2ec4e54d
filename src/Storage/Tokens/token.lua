-- What refresh families, one-time tokens and two-factor challenges have in common. Included after Sessions/record.lua; C#'s side is TokenRecord.cs.
--   byte 1       format version (1)     byte 2       flags (0)
--   bytes 3-8    created, ms            bytes 9-14   expires, ms       bytes 15-21  generation, us
--   then the fields of the kind
-- A record is valid while its generation is the user's and the index of its kind names it. So "end all of this kind" holds as soon as the
-- index is gone, and an index that Redis has evicted denies.
local TOKEN_HEADER = 21
local NONE = string.rep('.', 22)

local function token_header(created, expires, generation)
  return string.char(1, 0) .. write_int(created, 6) .. write_int(expires, 6) .. write_int(generation, 7)
end

-- The record under a key; nil and a reason ('gone', 'foreign', 'version') when there is none that this script understands.
local function read_token(key, shortest)
  local raw = redis.pcall('GET', key)
  if type(raw) == 'table' then return nil, unreadable(key, raw) end
  if not raw then return nil, 'gone' end
  local version = string.byte(raw, 1) or 0
  if version > 1 then return nil, 'version' end
  if version < 1 or #raw < shortest then return nil, 'foreign' end
  return { raw = raw, created = read_int(raw, 3, 8), expires = read_int(raw, 9, 14), generation = read_int(raw, 15, 21) }
end

-- The record under an id if it may be used; otherwise nil and why: gone, foreign, version, revoked, expired.
local function live_token(prefix, id, index, generation, now, shortest)
  local record, why = read_token(prefix .. id, shortest)
  if not record then return nil, why end
  if record.generation ~= generation then return nil, 'revoked' end
  -- By the record too, because a key may have lost its TTL.
  if now >= record.expires then return nil, 'expired' end
  local score = redis.pcall('ZSCORE', index, id)
  if type(score) == 'table' or not score then return nil, 'revoked' end
  return record
end

-- Ends what stands under an id. Returns 'ended', or why there was nothing to end. Something else's key stays, and so does a record of a
-- format that this script does not know; out of the index it is not valid any more.
local function end_token(prefix, id, index, shortest)
  local record, why = read_token(prefix .. id, shortest)
  if record then redis.call('DEL', prefix .. id) end
  redis.pcall('ZREM', index, id)
  return record and 'ended' or why
end

-- The user's generation, made if there is none, and living at least until `at`.
local function generation_until(key, us, at)
  local generation, now = read_generation(key), math.floor(us / 1000)
  if generation then
    live_until(key, at, now)
    return generation
  end
  redis.call('SET', key, text(us), 'PX', text(at - now))
  return us
end

-- Names a new id in an index of at most `cap`; what would expire first leaves. Returns how many had to.
local function admit(prefix, id, index, expires, cap, now, shortest)
  redis.call('ZREMRANGEBYSCORE', index, '-inf', text(now))
  local over, left = redis.call('ZCARD', index) - cap + 1, 0
  if over > 0 then
    for _, old in ipairs(redis.call('ZRANGE', index, '0', text(math.min(over, 1000) - 1))) do
      if end_token(prefix, old, index, shortest) == 'ended' then left = left + 1 end
    end
  end
  redis.call('ZADD', index, text(expires), id)
  settle_index(index, now)
  return left
end
