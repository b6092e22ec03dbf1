-- Appends events to their rooms' logs, each once. All rooms are of one partition, so one run serves all waiting calls.
--
-- KEYS  1 the partition's pending events                  (sorted set: "<room> <id>" by milliseconds)
--       2 the partition's rooms that have a log here      (sorted set, by the milliseconds at which to trim it next)
--       and for each room of the calls:
--       1 the room's stream
--       2 the client ids that its entries were appended under   (hash: "<user>:<client id>" to the entry's id)
--       3 the room's branch                                     (hash: id, base, server, replication, closed; or asked)
--       4 the token for making the base of a new branch             (string)
-- ARGV  1 the calls, as a list in MessagePack (all of it text: cmsgpack knows no bytes), each with
--         keys       index of its room's first key
--         room, kind, user, client, payload    the event; `user` and `room` as text
--         ends                                 true if nothing may follow it
--         branch     the branch that the caller knows, or ""
--         token      under which the caller made a base, `base`, and the id that follows it, `first`; or all ""
--         lost       an id that this event had, and under which it was refused or lost, or ""
--         looked_up  true if the archive was asked for the client id after the branch began
--         seen       the highest id of the room that the caller has seen in any log, archived or not
--         news       channel of the wake-up
--       2 the run id of this server, as the caller's connection knows it
--       3 how many pending events the partition may have
--       4 milliseconds for which a client may repeat an unanswered post
--       5 milliseconds that the making of a base may take
--       6 entries that a log keeps   7 milliseconds that it keeps them   8 milliseconds that it keeps all others too
--
-- Answers a list with one of these for each call:
--          {"new", id, prev}
--          {"seen", id, prev, kind, payload}   the log has an entry under this client id already: this one
--          {"gone", id}                        it had one, which was removed: it is archived, or lost
--          {"branch", id}                      the room has another branch than the caller knows: look again, then append
--          {"base", token, id}                 there is no branch: make a base for one, whose id is above this id
--          {"closed"}                          the log has come to its end
--          {"unsure"}                          it may be a repeat, which can't be known until the archive is back
--          {"full"}                            too many events wait for the archive
--
-- A branch is a run of the log from which nothing was lost. It ends when the server that holds it is not the one it began
-- on (restarted from an older state), or became a master since (promoted without the tail, perhaps for the second time:
-- its replication id tells), when the stream is gone, and when one of its events was refused or lost.
-- `branch_bases.py` explains bases, and why a new branch needs one. A token is good only on the master that made it,
-- `asked`: on one that was promoted, it may have been used already, and readers may know the ids behind its base.

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

-- Returns the last generated id. It outlives trimming, and the entry itself.
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

-- Returns the replication id, which is new whenever a server starts or is promoted.
local function replication_id()
    return string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)') or ''
end

local pending, due, server, replication = KEYS[1], KEYS[2], ARGV[2], replication_id()
local max_pending, repeat_ms, base_ms = tonumber(ARGV[3]), tonumber(ARGV[4]), ARGV[5]
local keep_entries, keep_ms, keep_at_least_ms = tonumber(ARGV[6]), tonumber(ARGV[7]), tonumber(ARGV[8])
local GROWTH = 100 -- entries that a log may grow by before it is trimmed

local function append(call, stream, names, branch_key, base_key)
    local name, mark, lost = call.user .. ':' .. call.client, call.room .. ' ', call.lost

    if lost ~= '' then
        redis.call('XDEL', stream, lost)
        redis.call('ZREM', pending, mark .. lost)
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

    if redis.call('ZCARD', pending) >= max_pending then return {'full'} end

    local branch, base, began_on, began_with, closed, asked =
        unpack(redis.call('HMGET', branch_key, 'id', 'base', 'server', 'replication', 'closed', 'asked'))
    local last = redis.call('EXISTS', stream) == 1 and last_generated(stream)
    local broken = branch and lost ~= '' and not before(lost, branch)

    -- A branch of an earlier release has no replication id.
    if not branch or not last or began_on ~= server or (began_with or replication) ~= replication or broken then
        redis.call('DEL', branch_key)
        local token = asked == replication and redis.call('GET', base_key)
        local is_mine = token == call.token
        if not is_mine or (last and not before(last, call.first)) then
            if not token or is_mine then
                local now = redis.call('TIME')
                token = now[1] .. '.' .. now[2]
                redis.call('SET', base_key, token, 'PX', base_ms)
            end
            redis.call('HSET', branch_key, 'asked', replication)
            redis.call('PEXPIRE', branch_key, base_ms)
            return {'base', token, last or '0-0'}
        end
        branch, base, last = call.first, call.base, nil
    elseif branch ~= call.branch then
        return {'branch', branch}
    elseif closed then
        return {'closed'}
    end

    -- The log remembers the client ids of all events since the branch began, except trimmed ones. A caller that asked the
    -- archive knows all earlier ones. A caller that could not ask knows enough if there were none, or if they are old.
    if not call.looked_up and base ~= '0-0' and now_ms() - parts(branch) < repeat_ms then return {'unsure'} end

    if not last then
        redis.call('DEL', base_key)
        redis.call('HSET', branch_key, 'id', branch, 'base', base, 'server', server, 'replication', replication)
    elseif before(last, call.seen) then
        -- Redis itself refuses ids below one that was there once.
        redis.call('XADD', stream, call.seen, 'start', '')
        redis.call('XDEL', stream, call.seen)
    end

    local prev = last or base
    local id = redis.call('XADD', stream, last and '*' or branch,
        'kind', call.kind, 'user', call.user, 'client', call.client, 'prev', prev, 'payload', call.payload)
    redis.call('HSET', names, name, id)
    if call.ends then
        redis.call('HSET', branch_key, 'closed', id)
        redis.call('ZADD', due, 'LT', parts(id) + keep_at_least_ms, call.room)
    elseif not last then
        redis.call('ZADD', due, 'LT', parts(id) + keep_ms, call.room)
    else
        local length = redis.call('XLEN', stream)
        if length > keep_entries and length % GROWTH == 0 then
            redis.call('ZADD', due, 'LT', (parts(id)), call.room)
        end
    end
    redis.call('ZADD', pending, (parts(id)), mark .. id)
    redis.call('PUBLISH', call.news, id)
    return {'new', id, prev}
end

local answers = {}
for index, call in ipairs(cmsgpack.unpack(ARGV[1])) do
    local at = call.keys
    answers[index] = append(call, KEYS[at], KEYS[at + 1], KEYS[at + 2], KEYS[at + 3])
end
return answers
