-- Clears the mark "not archived yet" of events about which the archive has decided.
--
-- KEYS  1 the partition's pending events, and for each room: 1 its stream   2 the client ids of its entries
-- ARGV  1 the calls, as a list in MessagePack, each with
--         keys     index of its room's first key
--         room     as text
--         id       the event's
--         name     its "<user>:<client id>"
--         news     channel of the wake-up
--         is_archived   true if the archive has the event; false if it refused it, or has it as a repeat
--
-- Answers a list with 1 for each event that was marked, 0 for each other.
--
-- Publishes "archive" when readers must read the archive: it has an event that the stream lacks, or has otherwise.

local answers = {}
for index, call in ipairs(cmsgpack.unpack(ARGV[1])) do
    local stream, names = KEYS[call.keys], KEYS[call.keys + 1]
    local was_pending = redis.call('ZREM', KEYS[1], call.room .. ' ' .. call.id) == 1
    answers[index] = was_pending and 1 or 0
    if not call.is_archived then
        if redis.call('HGET', names, call.name) == call.id then redis.call('HDEL', names, call.name) end
        if redis.call('XDEL', stream, call.id) == 1 then redis.call('PUBLISH', call.news, 'archive') end
    elseif not was_pending and not redis.call('XRANGE', stream, call.id, call.id)[1] then
        redis.call('PUBLISH', call.news, 'archive')
    end
end
return answers
