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
-- Scripts reach records by their ids, without declaring them as keys:
--@whole-slot
local ALIAS = 128
-- Where the alias leads that a carried-out revocation leaves in a session's place: nowhere.
local NOBODY = string.rep('A', 22)

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

-- What to make of a key that cannot be read. One that is on its way to another node of a cluster is not foreign: the script ends with Redis's own
-- error, and is run again from the start.
local function unreadable(key, reply)
  if string.find(reply.err or '', 'non local key', 1, true) then redis.call('GET', key) end
  return 'foreign'
end

-- Meets what an index names before anything is written, so that a key on its way to another node ends the script while nothing has been changed.
local function meet(prefix, index, most)
  local ids = redis.pcall('ZRANGE', index, '0', text(most - 1))
  if ids.err then return end
  for _, id in ipairs(ids) do redis.call('EXISTS', prefix .. id) end
end

-- The same for the archive's marks of these sessions (a set of ids); `life` is 0 without an archive.
local function meet_marks(prefix, life, ids)
  if tonumber(life) == 0 then return end
  for id in pairs(ids) do redis.call('EXISTS', prefix .. id) end
end

-- The record under a key; nil and a reason ('gone', 'foreign', 'version') when there is none that this script understands.
local function read_record(key)
  local raw = redis.pcall('GET', key)
  if type(raw) == 'table' then return nil, unreadable(key, raw) end
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

-- Writes a key that ends at `at` ms, which is what an index will say of it. Redis may stand still between the clock and the write, so a TTL is not the
-- same, and the embedded store knows no PXAT. What was refused by a condition stays as it was.
local function set_until(key, value, at, now, ...)
  local written = redis.call('SET', key, value, 'PX', text(at - now), ...)
  if written then redis.call('PEXPIREAT', key, text(at)) end
  return written
end

-- When a key ends by its TTL, ms; nil if it has none. Redis may stand still between the clock and the TTL, so both are read again until they are
-- of one moment.
local function ends_by_ttl(key)
  local ends
  for _ = 1, 3 do
    local before = now_us()
    local ttl = redis.call('PTTL', key)
    if ttl < 0 then return nil end
    ends = math.floor(before / 1000) + ttl
    if now_us() - before < 100000 then break end
  end
  return ends
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

-- Deletes what stands under a session's key if it is ours and of a format that we know. Returns 'ended' and the record, or why not: 'gone', 'foreign',
-- 'version'.
local function end_record(prefix, id)
  if #id ~= 22 or string.find(id, '[^%w_-]') then return 'foreign' end
  local record, why = read_record(prefix .. id)
  if not record then return why end
  redis.call('DEL', prefix .. id)
  return 'ended', record
end

-- What a script ends by itself, and the archive has not heard of: it must not come back from there, also if this script's answer never arrives. The
-- fence goes, and a mark stands that outlives the session; the archive's own, once it has been told, is shorter. A full Redis may refuse the mark.
-- `life` is the longest possible life of a session, ms; 0 without an archive.
local function seal(fence, prefix, life, id, record, now)
  life = tonumber(life)
  if life == 0 then return end
  if record and not record.alias then life = math.max(life, math.min(record.absolute - now, 34560000000)) end
  redis.call('DEL', fence)
  redis.pcall('SET', prefix .. id, '', 'PX', text(life), 'NX')
end

-- A length of 7 bits a byte; returns it and where the next byte is, or nil if the record is torn.
local function read_length(raw, at)
  local n, shift = 0, 1
  for _ = 1, 3 do
    local b = string.byte(raw, at)
    if not b then return nil end
    at = at + 1
    if b < 128 then return n + b * shift, at end
    n, shift = n + (b - 128) * shift, shift * 128
  end
  return nil
end

-- A session's bytes without its address and user agent, if it has any and they are older than `life` ms (-1: never); otherwise nil.
-- Layout of the body: RecordWriter.cs. User id (16 bytes if flag 1 is set, else a text), address (its length in one byte), user agent (a text), rest.
local function without_details(record, life, now)
  if life < 0 or record.alias or now - record.created < life then return nil end
  local raw, at = record.raw, record.version >= 2 and 38 or 32
  if string.byte(raw, 2) % 2 == 1 then
    at = at + 16
  else
    local length, start = read_length(raw, at)
    if not length then return nil end
    at = start + length
  end
  local address = string.byte(raw, at)
  if not address then return nil end
  local agent, start = read_length(raw, at + 1 + address)
  if not agent or (address == 0 and agent == 0) or start + agent - 1 > #raw then return nil end
  return string.sub(raw, 1, at - 1) .. string.char(0, 0) .. string.sub(raw, start + agent)
end
