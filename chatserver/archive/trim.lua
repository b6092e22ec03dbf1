-- Removes the oldest entries of a room's log from Redis, archived ones only; and with the last of them the whole log: the
-- next append begins a new branch behind the archived events, as if Redis had forgotten the log (see append.lua).
--
-- KEYS  1 the room's stream   2 the client ids of its entries   3 the room's branch   4 the partition's pending events
--       5 the partition's rooms that have a log here, by the milliseconds at which to trim it next
-- ARGV  1 the room   2 entries to keep   3 milliseconds to keep them
--       4 milliseconds to keep all others too, and the remaining entries of a closed room
--       5 most entries to look at   6 client ids to look at, at once
--
-- Answers the number of entries that it removed, and notes when to trim the room next: at once, if there are more.
--
-- A pending event in any room of the partition holds all rooms back: it is there for a moment, or the archive is away.

local stream, names, branch, pending, due = unpack(KEYS)
local room, keep_entries, keep_ms, at_least_ms = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local at_most, sample = tonumber(ARGV[5]), tonumber(ARGV[6])
local MOST_SAMPLES = 10

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

-- Returns the last generated id, which outlives the entry.
local function last_generated()
    local info = redis.call('XINFO', 'STREAM', stream)
    for i = 1, #info, 2 do
        if info[i] == 'last-generated-id' then return info[i + 1] end
    end
end

local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)
local oldest_pending = redis.call('ZRANGE', pending, 0, 0, 'WITHSCORES')
local not_archived = oldest_pending[2] and tonumber(oldest_pending[2]) or math.huge
if redis.call('HGET', branch, 'closed') then keep_ms = at_least_ms end

-- Removes the oldest entries. Returns their number, and the time of the next trim (milliseconds); nil if none is left.
local function take_out()
    local surplus = redis.call('XLEN', stream) - keep_entries
    local entries = redis.call('XRANGE', stream, '-', '+', 'COUNT', at_most)
    for index, entry in ipairs(entries) do
        local id, fields = entry[1], entry[2]
        local ms = parts(id)
        local until_ms = ms + (index <= surplus and math.min(at_least_ms, keep_ms) or keep_ms)
        if until_ms >= now then return index - 1, until_ms + 1 end
        if ms >= not_archived then return index - 1, now + at_least_ms end
        local field = {}
        for i = 1, #fields, 2 do field[fields[i]] = fields[i + 1] end
        local name = field.user .. ':' .. field.client
        if redis.call('HGET', names, name) == id then redis.call('HDEL', names, name) end
        redis.call('XDEL', stream, id)
    end
    return #entries, #entries == at_most and now or nil
end

-- Drops client ids of entries that were removed one by one, as deleted messages and their edits are, once the log begins
-- behind them. Their places in the hash are unknown, so it takes samples, and more of them while over a quarter of one is
-- stale: as Redis itself finds expired keys. Returns true if there may be many more.
local function forget_names()
    local first = redis.call('XRANGE', stream, '-', '+', 'COUNT', 1)[1]
    if not first or redis.call('HLEN', names) <= redis.call('XLEN', stream) then return false end
    for _ = 1, MOST_SAMPLES do
        local found, stale = redis.call('HRANDFIELD', names, sample, 'WITHVALUES'), 0
        for i = 1, #found, 2 do
            local id = found[i + 1]
            local ms = parts(id)
            if before(id, first[1]) and ms + at_least_ms < now and ms < not_archived then
                redis.call('HDEL', names, found[i])
                stale = stale + 1
            end
        end
        if stale <= sample / 4 then return false end
    end
    return true
end

local count, next_ms = take_out()
if next_ms then
    if forget_names() then next_ms = now end
elseif redis.call('EXISTS', stream) == 1 then
    -- Counted from the last generated id, even of an entry that did not count: only then is all of the log past.
    local until_ms = parts(last_generated()) + keep_ms
    if until_ms >= now then next_ms = until_ms + 1 end
end
if next_ms then
    redis.call('ZADD', due, next_ms, room)
else
    redis.call('DEL', stream, names, branch)
    redis.call('ZREM', due, room)
end
return count
