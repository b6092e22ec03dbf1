-- Notes arrivals and departures of a process's users in rooms of one partition. Answers which of them are news.
--
-- KEYS  1 the processes of this partition              (sorted set, by the end of their lease in milliseconds)
--       2 the partition's state                        (see presence_lease.lua)
--       3 all that the process has noted here          (hash: "<room>:<user>" to the user's name)
--       and for each call, in their order: the room's users    (hash: "<user>:<process>" to the user's name)
-- ARGV  1 the process
--       2 the calls, as a list in MessagePack, each with
--         room, user   as text
--         name         of the user, or "" for a departure
--         known        readers already know that this user is here
--       3 the era of the notes that the caller knows, and the run id of this server
--       5 "sweep" if the process is dead and another one does this
--
-- Answers a list with 1 for each call that is news, and 0 for the others. The list is empty if nothing was done: it is
-- another era, the process has no lease, or the one to be swept is alive.
--
-- A user is here as long as any process says so, a dead one too until it is swept: a move from a dead process to a
-- living one is no departure. And only the process that removes a note announces it, so that happens once.

local leases, state, own, process = KEYS[1], KEYS[2], KEYS[3], ARGV[1]
local is_sweep = ARGV[5] == 'sweep'

local era, server = unpack(redis.call('HMGET', state, 'era', 'server'))
if era ~= ARGV[3] or server ~= ARGV[4] then return {} end

local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)

local answers, calls = {}, cmsgpack.unpack(ARGV[2])
if is_sweep then
    local lease = redis.call('ZSCORE', leases, process)
    if lease and tonumber(lease) > now then return answers end
elseif not redis.call('ZSCORE', leases, process) then
    return answers
end

local others = {}
for _, other in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
    if other ~= process then others[#others + 1] = ':' .. other end
end

local function is_elsewhere(users, user)
    if #others == 0 then return false end
    local fields = {}
    for index, other in ipairs(others) do fields[index] = user .. other end
    for _, name in ipairs(redis.call('HMGET', users, unpack(fields))) do
        if name then return true end
    end
    return false
end

for index, call in ipairs(calls) do
    local users, field = KEYS[index + 3], call.user .. ':' .. process
    local is_news
    if call.name ~= '' then
        redis.call('HSET', users, field, call.name)
        redis.call('HSET', own, call.room .. ':' .. call.user, call.name)
        is_news = not call.known
    else
        is_news = redis.call('HDEL', users, field) == 1 or call.known
        redis.call('HDEL', own, call.room .. ':' .. call.user)
    end
    answers[index] = is_news and not is_elsewhere(users, call.user) and 1 or 0
end

if is_sweep and redis.call('EXISTS', own) == 0 then redis.call('ZREM', leases, process) end
return answers
