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
--       9 the highest id of the room that the caller has seen in any log, archived or not
--      10 milliseconds for which a client id is remembered     11 channel of the wake-up
--      12 how many pending events the partition may have
--
-- Answers  {"new", id, prev}
--          {"seen", id, prev, kind, payload}   this client id is in the log already, here it is
--          {"seen", id}                        it was, but has been trimmed or lost: the archive knows
--          {"floor", token}                    the log is gone or was never there: look the floor up, come back with both
--          {"full"}                            too much waits for the archive
--
-- `prev` is the stream's last generated id, which outlives trimming. A stream that does not reach up to the floor is new,
-- was flushed, or came back from a failover without its tail. Then readers may have seen ids that nobody remembers, so
-- the new ones start a moment above everything that is known: an entry is put there and taken out again, and from then
-- on Redis itself refuses to go below it.

local LEAP_MS = 100

local function parts(id)
    local ms, seq = string.match(id, '(%d+)-(%d+)')
    return tonumber(ms), tonumber(seq)
end

local function before(a, b)
    local a_ms, a_seq = parts(a)
    local b_ms, b_seq = parts(b)
    if a_ms ~= b_ms then return a_ms < b_ms end
    return a_seq < b_seq
end

local function last_generated(stream)
    if redis.call('EXISTS', stream) == 0 then return nil end
    local info = redis.call('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then return info[i + 1] end
    end
end

local function leap(floor)
    local now = redis.call('TIME')
    local ms = math.max(now[1] * 1000 + math.floor(now[2] / 1000), (parts(floor)))
    return string.format('%.0f-0', ms + LEAP_MS)
end

local seen = redis.call('GET', KEYS[2])
if seen and seen ~= ARGV[8] then
    local entry = redis.call('XRANGE', KEYS[1], seen, seen)[1]
    if not entry then return {'seen', seen} end
    local field = {}
    for i = 1, #entry[2], 2 do field[entry[2][i]] = entry[2][i + 1] end
    return {'seen', seen, field.prev, field.kind, field.payload}
end

if redis.call('ZCARD', KEYS[3]) >= tonumber(ARGV[12]) then return {'full'} end

local floor = ARGV[6]
local last = last_generated(KEYS[1])
if not last then
    -- The token proves that nothing was flushed between the look-up of the floor and this call: a floor that is older
    -- than the flush may lie below what others archived since.
    if ARGV[7] == '' or redis.call('GET', KEYS[4]) ~= ARGV[7] then
        local now = redis.call('TIME')
        redis.call('SET', KEYS[4], now[1] .. '.' .. now[2], 'NX', 'PX', 10000)
        return {'floor', redis.call('GET', KEYS[4])}
    end
    redis.call('DEL', KEYS[4])
end

local prev, start = last, nil
if not last or before(last, floor) then
    prev = floor
    if floor ~= '0-0' or ARGV[9] ~= '0-0' then start = leap(floor) end
end
if before(start or last or '0-0', ARGV[9]) then start = ARGV[9] end
if start then
    redis.call('XADD', KEYS[1], start, 'start', '')
    redis.call('XDEL', KEYS[1], start)
end

local id = redis.call('XADD', KEYS[1], '*',
    'kind', ARGV[2], 'user', ARGV[3], 'client', ARGV[4], 'prev', prev, 'payload', ARGV[5])
redis.call('SET', KEYS[2], id, 'PX', ARGV[10])
redis.call('ZADD', KEYS[3], (parts(id)), ARGV[1] .. ' ' .. id)
redis.call('PUBLISH', ARGV[11], id)
return {'new', id, prev}
