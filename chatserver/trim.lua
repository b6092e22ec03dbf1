-- Takes the oldest entries of a room's log out of Redis, only such as are archived.
--
-- KEYS  1 the room's stream   2 the partition's pending events
-- ARGV  1 entries to keep     2 milliseconds to keep them     3 entries to take out at once, at the most
--
-- Answers whether there is more to take out.
--
-- What is pending in any room of the partition holds all of them back: it is there for a moment, or the archive is away.

local function ms_of(id) return tonumber(string.match(id, '^%d+')) end

local now = redis.call('TIME')
local oldest_kept = now[1] * 1000 + math.floor(now[2] / 1000) - ARGV[2]
local pending = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local not_archived = pending[2] and tonumber(pending[2]) or math.huge
redis.call('XTRIM', KEYS[1], 'MINID', string.format('%.0f', math.min(oldest_kept, not_archived)))

local surplus = redis.call('XLEN', KEYS[1]) - ARGV[1]
if surplus <= 0 then return 0 end
local going = redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', math.min(surplus, ARGV[3]) + 1)
local first_kept = going[#going][1]
redis.call('XTRIM', KEYS[1], 'MINID', ms_of(first_kept) < not_archived and first_kept or string.format('%.0f', not_archived))
return (surplus > tonumber(ARGV[3]) and ms_of(first_kept) < not_archived) and 1 or 0
