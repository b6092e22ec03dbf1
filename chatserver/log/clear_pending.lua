-- Takes the mark "not archived yet" off events about which the archive has decided.
--
-- KEYS  1 the partition's pending events, and for each room: 1 its stream   2 the client ids of its entries
-- ARGV  1 the calls, as a list in MessagePack, each with
--         keys     where the keys of its room begin
--         room     as text
--         id       the event's
--         name     its "<user>:<client id>"
--         news     channel of the wake-up
--         is_archived   whether the event does; not so one that the archive refused, or has as a repeat
--
-- Answers a list that says for each whether it was marked: 1 or 0.
--
-- Readers are told to look into the archive if it has what the stream does not, or has it otherwise.

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
