-- Takes the mark "not archived yet" off an event that is archived now, and says whether the log goes on from it.
--
-- KEYS  1 the room's stream   2 the partition's pending events   3 the token of a look-up of the floor
-- ARGV  1 room                2 the event's id                  3 channel of the wake-up
--
-- Answers  {"kept"}            its mark was there (nothing was lost since it was set), its entry is, or nothing follows
--                              it and whatever will follow links to it: then readers are told to look in the archive
--          {"lost", id}        its entry is gone, and the log goes on after the event with this id

if redis.call('ZREM', KEYS[2], ARGV[1] .. ' ' .. ARGV[2]) == 1 then return {'kept'} end
if redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])[1] then return {'kept'} end

if redis.call('EXISTS', KEYS[1]) == 0 then
    -- The next append must look the floor up, and finds this event. Who did so before it was archived has to do it again.
    redis.call('DEL', KEYS[3])
    redis.call('PUBLISH', ARGV[3], 'archive')
    return {'kept'}
end

local following = redis.call('XRANGE', KEYS[1], '(' .. ARGV[2], '+', 'COUNT', 1)[1]
if following then
    for i = 1, #following[2], 2 do
        if following[2][i] == 'prev' and following[2][i + 1] == ARGV[2] then return {'kept'} end
        if following[2][i] == 'prev' then return {'lost', following[2][i + 1]} end
    end
end

-- XADD refuses an id at or below the last one given out: then something followed, and is gone too.
local raised = redis.pcall('XADD', KEYS[1], ARGV[2], 'floor', '')
if type(raised) == 'table' and raised.err then
    local info = redis.call('XINFO', 'STREAM', KEYS[1])
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' and info[i + 1] == ARGV[2] then return {'kept'} end
        if info[i] == 'last-generated-id' then return {'lost', info[i + 1]} end
    end
end
redis.call('XDEL', KEYS[1], ARGV[2])
redis.call('PUBLISH', ARGV[3], 'archive')
return {'kept'}
