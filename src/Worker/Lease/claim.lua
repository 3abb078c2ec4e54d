-- Claims the lease of a job, for a due time or for a run by hand.
-- KEYS: lease (a hash: holder, replica, until = end in ms, done = latest due time done in ms,
-- last = replica that had it last: for people, and so that the hash is never empty, because an empty one loses its life)
-- ARGV: holder (unique to the run), replica, due in ms or '', duration ms, life of the key ms, how far ahead of Redis's clock a due time may lie in ms
-- Returns {'claimed', replica that had it and never gave it back, or ''}, {'done', due}, {'early', ms ahead}, or {'held', replica, ms that are left}
-- The clock is Redis's, so that replicas need not agree on theirs.
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000 + math.floor(tonumber(time[2]) / 1000)
local latest = now + tonumber(ARGV[6])
local due = tonumber(ARGV[3])
if due and due > latest then
  return { 'early', string.format('%.0f', due - now) }
end
local state = redis.call('HMGET', KEYS[1], 'holder', 'until', 'replica', 'done')
local done = tonumber(state[4] or '')
-- Left by a clock that ran ahead (or by a Redis clock that was set back): trusted, it would keep every replica from the job until then.
local absurd = done and done > latest
if due and done and not absurd and done >= due then
  return { 'done', state[4] }
end
local ends = tonumber(state[2] or '') or 0
if state[1] and ends > now then
  return { 'held', state[3] or '', string.format('%.0f', ends - now) }
end
redis.call('HSET', KEYS[1], 'holder', ARGV[1], 'replica', ARGV[2], 'last', ARGV[2], 'until', string.format('%.0f', now + tonumber(ARGV[4])))
if absurd then redis.call('HDEL', KEYS[1], 'done') end
redis.call('PEXPIRE', KEYS[1], ARGV[5])
return { 'claimed', state[1] and state[3] or '' }
