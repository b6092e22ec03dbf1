-- Puts one event at the end of a room's log, once.
--
-- KEYS  1 the room's stream
--       2 the client ids that the stream's entries were appended under   (hash: "<user>:<client id>" to the entry's id)
--       3 the partition's pending events                                 (sorted set: "<room> <id>" by milliseconds)
--       4 the room's branch                                              (hash: id, base, server, closed)
--       5 the token of whoever is making the base of a new branch        (string)
-- ARGV  1 room  2 kind  3 user id  4 client id  5 payload
--       6 the run id of this server, as the caller's connection knows it
--       7 the branch that the caller knows of, or ""
--       8 the token under which the caller made a base, 9 that base, and 10 the id that follows it; or ""
--      11 an id that this event had, and under which it was refused or lost, or ""
--      12 whether the archive was asked for the client id, after the branch began: 1 or 0
--      13 the highest id of the room that the caller has seen in any log, archived or not
--      14 channel of the wake-up    15 how many pending events the partition may have
--      16 milliseconds for which a client may repeat what got no answer
--      17 milliseconds that the making of a base may take
--
-- Answers  {"new", id, prev}
--          {"seen", id, prev, kind, payload}   this client id is in the log already, here it is
--          {"gone", id}                        it was, until somebody took it out: it is archived, or lost
--          {"branch", id}                      the room has another branch than the caller knows of: look again, then append
--          {"base", token, id}                 there is no branch: make a base for one, whose id is above this id
--          {"closed"}                          the log has come to its end
--          {"unsure"}                          nobody knows whether this is a repeat until the archive is back
--          {"full"}                            too much waits for the archive
--
-- A branch is a run of the log from which nothing was lost. It ends when the server that holds it is another one than the
-- one it began on (restarted from an older state, or promoted without the tail), when the stream is gone, and when one
-- of its events was refused or lost. `bases.py` says what a base is, and why a new branch needs one.

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

-- The last id given out. It outlives trimming, and the entry itself.
local function last_generated(stream)
    local info = redis.call('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then return info[i + 1] end
    end
end

local function now_ms()
    local now = redis.call('TIME')
    return now[1] * 1000 + math.floor(now[2] / 1000)
end

local stream, names, pending = KEYS[1], KEYS[2], KEYS[3]
local name, lost = ARGV[3] .. ':' .. ARGV[4], ARGV[11]

if lost ~= '' then
    redis.call('XDEL', stream, lost)
    redis.call('ZREM', pending, ARGV[1] .. ' ' .. lost)
    if redis.call('HGET', names, name) == lost then redis.call('HDEL', names, name) end
end

local seen = redis.call('HGET', names, name)
if seen then
    local entry = redis.call('XRANGE', stream, seen, seen)[1]
    if not entry then return {'gone', seen} end
    local field = {}
    for i = 1, #entry[2], 2 do field[entry[2][i]] = entry[2][i + 1] end
    return {'seen', seen, field.prev, field.kind, field.payload}
end

if redis.call('ZCARD', pending) >= tonumber(ARGV[15]) then return {'full'} end

local branch, base, server, closed = unpack(redis.call('HMGET', KEYS[4], 'id', 'base', 'server', 'closed'))
local last = redis.call('EXISTS', stream) == 1 and last_generated(stream)
local broken = branch and lost ~= '' and not before(lost, branch)

if not branch or not last or server ~= ARGV[6] or broken then
    redis.call('DEL', KEYS[4])
    local token = redis.call('GET', KEYS[5])
    local is_mine = token == ARGV[8]
    if not is_mine or (last and not before(last, ARGV[10])) then
        if not token or is_mine then
            local now = redis.call('TIME')
            token = now[1] .. '.' .. now[2]
            redis.call('SET', KEYS[5], token, 'PX', ARGV[17])
        end
        return {'base', token, last or '0-0'}
    end
    branch, base, last = ARGV[10], ARGV[9], nil
elseif branch ~= ARGV[7] then
    return {'branch', branch}
elseif closed then
    return {'closed'}
end

-- Here each event since the branch began has its client id remembered, but for what is trimmed. Whoever asked the archive
-- knows of all that was before. Who could not ask knows enough if there was nothing, or if it was long ago.
if ARGV[12] == '0' and base ~= '0-0' and now_ms() - parts(branch) < tonumber(ARGV[16]) then return {'unsure'} end

if not last then
    redis.call('DEL', KEYS[5])
    redis.call('HSET', KEYS[4], 'id', branch, 'base', base, 'server', ARGV[6])
elseif before(last, ARGV[13]) then
    -- Redis itself refuses to go below an id that was there once.
    redis.call('XADD', stream, ARGV[13], 'start', '')
    redis.call('XDEL', stream, ARGV[13])
end

local prev = last or base
local id = redis.call('XADD', stream, last and '*' or branch,
    'kind', ARGV[2], 'user', ARGV[3], 'client', ARGV[4], 'prev', prev, 'payload', ARGV[5])
redis.call('HSET', names, name, id)
if ARGV[2] == 'closed' then redis.call('HSET', KEYS[4], 'closed', id) end
redis.call('ZADD', pending, (parts(id)), ARGV[1] .. ' ' .. id)
redis.call('PUBLISH', ARGV[14], id)
return {'new', id, prev}
