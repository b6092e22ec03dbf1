-- Puts one event at the end of a room's log, once.
--
-- KEYS  1 the room's stream
--       2 the entry that remembers this client id        (string: the id it was given)
--       3 the partition's pending events                 (sorted set: "<room> <id>" by milliseconds)
--       4 the token of whoever is looking up the floor   (string)
-- ARGV  1 room  2 kind  3 user id  4 client id  5 payload
--       6 the floor: the highest archived id of the room that the caller knows of
--       7 the token under which the floor was looked up, or ""
--       8 an id that the caller knows to be lost: what remembers it is not believed, or ""
--       9 milliseconds for which a client id is remembered     10 channel of the wake-up
--
-- Answers  {"new", id, prev}
--          {"seen", id, prev, kind, payload}   this client id is in the log already, here it is
--          {"seen", id}                        it was, but has been trimmed or lost: the archive knows
--          {"floor", token}                    the log is gone or was never there: look the floor up, come back with both
--
-- `prev` is the stream's last generated id, which outlives trimming. Where the stream does not reach up to the floor (it
-- is new, was flushed, or came back from a failover without its tail), an entry is put at the floor and taken out
-- again: from then on Redis itself refuses to issue an id at or below it.

local function last_generated(stream)
    local info = redis.call('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then return info[i + 1] end
    end
end

local function before(a, b)
    local a_ms, a_seq = string.match(a, '(%d+)-(%d+)')
    local b_ms, b_seq = string.match(b, '(%d+)-(%d+)')
    a_ms, b_ms = tonumber(a_ms), tonumber(b_ms)
    if a_ms ~= b_ms then return a_ms < b_ms end
    return tonumber(a_seq) < tonumber(b_seq)
end

local function raise_to(stream, floor)
    redis.call('XADD', stream, floor, 'floor', '')
    redis.call('XDEL', stream, floor)
end

local seen = redis.call('GET', KEYS[2])
if seen and seen ~= ARGV[8] then
    local entry = redis.call('XRANGE', KEYS[1], seen, seen)[1]
    if not entry then return {'seen', seen} end
    local field = {}
    for i = 1, #entry[2], 2 do field[entry[2][i]] = entry[2][i + 1] end
    return {'seen', seen, field.prev, field.kind, field.payload}
end

local prev
if redis.call('EXISTS', KEYS[1]) == 1 then
    prev = last_generated(KEYS[1])
    if before(prev, ARGV[6]) then
        raise_to(KEYS[1], ARGV[6])
        prev = ARGV[6]
    end
else
    -- The token proves that nothing was flushed between the look-up of the floor and this call: a floor that is older
    -- than the flush may lie below what others archived since.
    if ARGV[7] == '' or redis.call('GET', KEYS[4]) ~= ARGV[7] then
        local now = redis.call('TIME')
        redis.call('SET', KEYS[4], now[1] .. '.' .. now[2], 'NX', 'PX', 10000)
        return {'floor', redis.call('GET', KEYS[4])}
    end
    redis.call('DEL', KEYS[4])
    prev = ARGV[6]
    if prev ~= '0-0' then raise_to(KEYS[1], prev) end
end

local id = redis.call('XADD', KEYS[1], '*',
    'kind', ARGV[2], 'user', ARGV[3], 'client', ARGV[4], 'prev', prev, 'payload', ARGV[5])
redis.call('SET', KEYS[2], id, 'PX', ARGV[9])
redis.call('ZADD', KEYS[3], string.match(id, '^%d+'), ARGV[1] .. ' ' .. id)
redis.call('PUBLISH', ARGV[10], id)
return {'new', id, prev}
