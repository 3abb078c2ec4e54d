-- Carries out a journalled "end all of this user": what existed at that time ends, what began later lives on under a new generation.
-- Safe to run again, and safe to come late.
-- KEYS: generation, session index, refresh index, then the index of each further kind of token
-- ARGV: time of the revocation (us of this server's clock, rounded up), id of the session to keep or '', longest possible session ms,
--       most records of an index to look at, prefix of the user's sessions, prefix of the user's families, then prefix and shortest record of each kind
-- Returns {sessions ended, sessions that live on, generation found or '', new generation or ''}
--@include Sessions/record.lua
--@include Tokens/token.lua
--@include RefreshTokens/family.lua
local at, us = tonumber(ARGV[1]), now_us()
local now, most = math.floor(us / 1000), text(tonumber(ARGV[4]) - 1)
local sessions, families = ARGV[5], ARGV[6]
-- Without a generation nothing of the user is valid in Redis. It is set all the same: another host may hold sessions in its memory that are older.
local found = read_generation(KEYS[1])
local before = found or -1

-- An index key of another type is not ours, and must not keep a revocation from happening.
local function members(index)
  local ids = redis.pcall('ZRANGE', index, '0', most)
  if ids.err then return {}, false end
  return ids, true
end

local function is_later(created) return created * 1000 > at end

local kept_id, chain, kept = ARGV[2], {}, nil
if kept_id ~= '' then
  chain, kept = session_chain(sessions, kept_id)
  if kept and (kept.generation ~= before or ends_at(kept) <= now) then kept = nil end
  if not kept then chain = {} end
end

-- A session that an old refresh token has started since is as old as that token.
local old_families, derived = {}, {}
for _, id in ipairs(members(KEYS[3])) do
  local family = read_token(families .. id, FAMILY_SHORTEST)
  if family and family.generation == before and now < family.expires then
    read_fields(family)
    old_families[id] = family
    if not is_later(family.created) and not chain[family.session] then derived[family.session] = true end
  end
end

local alive, ended, longest = {}, {}, tonumber(ARGV[3])
local session_ids, indexed = members(KEYS[2])
for _, id in ipairs(session_ids) do
  local record = read_record(sessions .. id)
  if record and not record.alias and record.generation == before and ends_at(record) > now
    and (chain[id] or (is_later(record.created) and not derived[id])) then
    alive[id] = record
    longest = math.max(longest, record.absolute - now)
  end
end

-- Deleting comes first: it makes room in a full Redis, and a missing generation denies.
redis.call('DEL', KEYS[1])
local count = 0
for _, id in ipairs(session_ids) do
  if not alive[id] then
    ended[id] = true
    if end_record(sessions, id) == 'ended' then count = count + 1 end
    redis.pcall('ZREM', KEYS[2], id)
  end
end

-- The time of the revocation, not of this replay: it is what sessions that other hosts hold in memory are compared with.
local generation = math.max(at, before + 1)
local set = redis.pcall('SET', KEYS[1], text(generation), 'PX', text(longest))
if type(set) == 'table' and set.err then return { count, 0, found and text(found) or '', '' } end

local carried = 0
for id, record in pairs(alive) do
  redis.call('PEXPIREAT', sessions .. id, text(ends_at(record)))
  redis.call('SETRANGE', sessions .. id, '20', write_int(generation, 7))
  carried = carried + 1
end
if indexed then settle_index(KEYS[2], now) end

for _, id in ipairs(members(KEYS[3])) do
  local family = old_families[id]
  if family and (chain[family.session] or (is_later(family.created) and not ended[family.session])) then
    family.generation = generation
    write_family(families .. id, family)
    live_until(KEYS[1], family.expires, now)
  else
    end_token(families, id, KEYS[3], FAMILY_SHORTEST)
  end
end

for kind = 4, #KEYS do
  local prefix, shortest = ARGV[7 + (kind - 4) * 2], tonumber(ARGV[8 + (kind - 4) * 2])
  for _, id in ipairs(members(KEYS[kind])) do
    local token = read_token(prefix .. id, shortest)
    if token and token.generation == before and now < token.expires and is_later(token.created) then
      redis.call('SETRANGE', prefix .. id, '14', write_int(generation, 7))
      live_until(KEYS[1], token.expires, now)
    else
      end_token(prefix, id, KEYS[kind], shortest)
    end
  end
end
return { count, carried, found and text(found) or '', text(generation) }
