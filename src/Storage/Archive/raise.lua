-- Brings Redis's generation up to the archive's, after Redis went back in time. A missing one is set: what carries it was not revoked.
-- KEYS: fence, generation    ARGV: generation, longest possible session ms
-- Returns 1 if it was changed
--@include Sessions/record.lua
local before, generation = read_generation(KEYS[2]), tonumber(ARGV[1])
if before and before >= generation then return 0 end
-- Deleting first makes room in a full Redis; a missing generation denies.
redis.call('DEL', KEYS[1], KEYS[2])
redis.call('SET', KEYS[2], text(generation), 'PX', ARGV[2])
return 1
