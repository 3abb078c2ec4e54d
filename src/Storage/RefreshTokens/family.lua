-- The layout of a refresh family after the header of Tokens/token.lua; C#'s side is RefreshFamilyFormat.cs.
--   bytes 22-27  rotated, ms            bytes 28-31  rotations
--   bytes 32-53  current hash           bytes 54-75  previous hash (22 dots before the first rotation)
--   bytes 76-97  session id (22 dots without one), then the user id, which no script reads
local FAMILY_SHORTEST = 98
-- More than any cap that the options allow.
local MOST_FAMILIES = 10000

local function read_fields(family)
  local raw = family.raw
  family.rotated, family.rotations = read_int(raw, 22, 27), read_int(raw, 28, 31)
  family.current, family.previous = string.sub(raw, 32, 53), string.sub(raw, 54, 75)
  family.session, family.body = string.sub(raw, 76, 97), string.sub(raw, 98)
  return family
end

local function live_family(prefix, id, index, generation, now)
  local family, why = live_token(prefix, id, index, generation, now, FAMILY_SHORTEST)
  if not family then return nil, why end
  return read_fields(family)
end

-- Writes a family back with the life that it has. The TTL first, which a full Redis allows, and after it the write.
local function write_family(key, family)
  family.raw = token_header(family.created, family.expires, family.generation) .. write_int(family.rotated, 6) .. write_int(family.rotations, 4)
    .. family.current .. family.previous .. family.session .. family.body
  redis.call('PEXPIREAT', key, text(family.expires))
  redis.call('SETRANGE', key, '0', family.raw)
end

-- Where a session's id leads: itself, and through the aliases of rotations. Returns a set of ids, and the last record (nil if it is gone).
local function session_chain(prefix, id)
  local chain, record = {}, nil
  for _ = 1, 1000 do
    chain[id] = true
    record = read_record(prefix .. id)
    if not record or not record.alias or record.target == NOBODY then break end
    id = record.target
  end
  if record and record.alias then record = nil end
  return chain, record
end

-- Ends the families that are bound to one of these sessions (a set of ids). In the same script that ends the sessions, so that no family is born
-- or moved in between. Returns how many.
local function end_families(prefix, index, sessions)
  local ids = redis.pcall('ZRANGE', index, '0', '-1')
  if ids.err then return 0 end
  local ended = 0
  for _, id in ipairs(ids) do
    local family = read_token(prefix .. id, FAMILY_SHORTEST)
    if family and sessions[read_fields(family).session] then
      end_token(prefix, id, index, FAMILY_SHORTEST)
      ended = ended + 1
    end
  end
  return ended
end

-- Binds the families of a session to the id that a rotation gave it. Returns how many.
local function move_families(prefix, index, from, to, now)
  local ids = redis.pcall('ZRANGE', index, '0', '-1')
  if ids.err then return 0 end
  local moved = 0
  for _, id in ipairs(ids) do
    local family = read_token(prefix .. id, FAMILY_SHORTEST)
    if family and read_fields(family).session == from and family.expires > now then
      family.session = to
      write_family(prefix .. id, family)
      moved = moved + 1
    end
  end
  return moved
end
