-- The layout of a session record, shared by every script that touches one. C#'s side is SessionRecordFormat.cs.
--   byte 1       format version (1 or 2)
--   byte 2       flags; bit 7: an alias
-- a session:
--   bytes 3-8    created, ms      bytes 9-14   last seen, ms     bytes 15-20  absolute expiry, ms
--   bytes 21-27  generation, us   bytes 28-31  sliding expiry, s
--   bytes 32-37  authenticated, ms (format 2 only), then the body, which no script reads
-- an alias (what a rotated id answers with during its grace):
--   bytes 3-9    generation, us   bytes 10-31  the new session id
-- Integers are big-endian. Arithmetic on bytes instead of struct: every server that runs Lua has it.
local ALIAS = 128

local function now_us()
  local t = redis.call('TIME')
  return tonumber(t[1]) * 1000000 + tonumber(t[2])
end

local function read_int(s, first, last)
  local n = 0
  for i = first, last do n = n * 256 + string.byte(s, i) end
  return n
end

local function write_int(n, width)
  local bytes = {}
  for i = width, 1, -1 do
    bytes[i] = string.char(n % 256)
    n = math.floor(n / 256)
  end
  return table.concat(bytes)
end

local function text(n) return string.format('%.0f', n) end

-- The record under a key; nil and a reason ('gone', 'foreign', 'version') when there is none that this script understands.
local function read_record(key)
  local raw = redis.pcall('GET', key)
  if type(raw) == 'table' then return nil, 'foreign' end
  if not raw then return nil, 'gone' end
  local version = string.byte(raw, 1) or 0
  if version < 1 then return nil, 'foreign' end
  if version > 2 then return nil, 'version' end
  if #raw < 31 then return nil, 'foreign' end
  if string.byte(raw, 2) >= ALIAS then
    if #raw ~= 31 then return nil, 'foreign' end
    return { raw = raw, alias = true, generation = read_int(raw, 3, 9), target = string.sub(raw, 10, 31) }
  end
  if #raw == 31 then return nil, 'foreign' end
  return {
    raw = raw, alias = false, version = version,
    created = read_int(raw, 3, 8), seen = read_int(raw, 9, 14), absolute = read_int(raw, 15, 20),
    generation = read_int(raw, 21, 27), sliding = read_int(raw, 28, 31) * 1000,
  }
end

-- The user's generation, or nil when it is missing or unreadable; both deny.
local function read_generation(key)
  local raw = redis.pcall('GET', key)
  -- 16 digits: above 2^53 a number of Lua is no longer exact, and the one compared would not be the one stored.
  if type(raw) ~= 'string' or #raw > 16 or not string.match(raw, '^%d+$') then return nil end
  local generation = tonumber(raw)
  if generation > 9007199254740991 then return nil end
  return generation
end

-- Lengthens a key's life to at least `at` ms; never shortens it. Not EXPIRE GT, which does nothing on a key without TTL.
local function live_until(key, at, now)
  if redis.call('PTTL', key) < at - now then redis.call('PEXPIREAT', key, text(at)) end
end

local function expiry_of(seen, sliding, absolute)
  return math.min(seen + sliding, absolute)
end

-- When an index with this highest score has to end, ms. Bounded, because something else may have written an infinite score.
local function index_end(score, now)
  return math.max(math.min(tonumber(score), 253402300799999), now + 1)
end

-- When a session ends, by what its record says. Its key may have lost its TTL, or been given a longer one.
local function ends_at(record)
  return expiry_of(record.seen, record.sliding, record.absolute)
end

-- Makes an index live as long as its longest session. Called after every change of its members.
local function settle_index(key, now)
  local last = redis.call('ZREVRANGE', key, 0, 0, 'WITHSCORES')[2]
  if last then redis.call('PEXPIREAT', key, text(index_end(last, now))) end
end

-- Deletes what stands under a session's key if it is ours and of a format that we know. Returns 'ended', or why not: 'gone', 'foreign', 'version'.
local function end_record(prefix, id)
  if #id ~= 22 or string.find(id, '[^%w_-]') then return 'foreign' end
  local record, why = read_record(prefix .. id)
  if not record then return why end
  redis.call('DEL', prefix .. id)
  return 'ended'
end
