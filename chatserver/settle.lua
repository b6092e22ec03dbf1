-- Takes the mark "not archived yet" off an event about which the archive has decided.
--
-- KEYS  1 the room's stream   2 the partition's pending events   3 the client ids of the stream's entries
-- ARGV  1 room   2 the event's id   3 its "<user>:<client id>"   4 channel of the wake-up
--       5 whether the event counts: 1, or 0 for one that the archive refused, or has as a repeat
--
-- Readers are told to look into the archive if it has what the stream does not, or has it otherwise.

local stream, id = KEYS[1], ARGV[2]
local was_pending = redis.call('ZREM', KEYS[2], ARGV[1] .. ' ' .. id) == 1

if ARGV[5] == '0' then
    if redis.call('HGET', KEYS[3], ARGV[3]) == id then redis.call('HDEL', KEYS[3], ARGV[3]) end
    if redis.call('XDEL', stream, id) == 1 then redis.call('PUBLISH', ARGV[4], 'archive') end
elseif not was_pending and not redis.call('XRANGE', stream, id, id)[1] then
    redis.call('PUBLISH', ARGV[4], 'archive')
end
