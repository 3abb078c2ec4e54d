-- Removes what the keys and indexes of a user lead to, in one step: a log-in before it goes, one after it is a new one.
-- The user's generation stays, a number without content that goes by itself: it is what keeps a session that another host still holds in its memory, and
-- one that is under way from the archive, from coming back.
-- KEYS: session index, second-factor count, totals, devices, history, profile, cache epoch, then the index of each kind of token
-- ARGV: prefix of the sessions, prefix of the activities, most members of an index to follow here, then the prefix of each kind of token
-- Returns how many keys were removed
--@whole-slot
local removed = 0

local function drop(key) removed = removed + redis.call('UNLINK', key) end

local function is_id(id) return #id == 22 and not string.find(id, '[^%w_-]') end

local function each(index, work)
  local ids = redis.pcall('ZRANGE', index, '0', string.format('%.0f', tonumber(ARGV[3]) - 1))
  if ids.err then return end
  for _, id in ipairs(ids) do
    if is_id(id) then work(id) end
  end
end

each(KEYS[1], function(id)
  drop(ARGV[1] .. id)
  drop(ARGV[2] .. id)
end)
-- Past sessions have activities for a day still, and aliases for their grace.
local events = redis.pcall('LRANGE', KEYS[5], '0', '-1')
if not events.err then
  for _, event in ipairs(events) do
    for id in string.gmatch(event, ':([%w_-]+)') do
      if is_id(id) then
        drop(ARGV[1] .. id)
        drop(ARGV[2] .. id)
      end
    end
  end
end
for i = 8, #KEYS do
  each(KEYS[i], function(id) drop(ARGV[i - 4] .. id) end)
end
for i = 1, #KEYS do drop(KEYS[i]) end
return removed
