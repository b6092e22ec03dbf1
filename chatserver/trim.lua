-- Takes the oldest entries of a room's log out of Redis, only such as are archived.
--
-- KEYS  1 the room's stream   2 the partition's pending events   3 the client ids of the stream's entries
-- ARGV  1 entries to keep     2 milliseconds to keep them        3 entries to look at, at the most
--       4 milliseconds to keep all the others too
--
-- Answers whether there is more to take out.
--
-- What is pending in any room of the partition holds all of them back: it is there for a moment, or the archive is away.

local function ms_of(id) return tonumber(string.match(id, '^%d+')) end

local stream, names = KEYS[1], KEYS[3]
local now = redis.call('TIME')
local now_ms = now[1] * 1000 + math.floor(now[2] / 1000)
local oldest_pending = redis.call('ZRANGE', KEYS[2], 0, 0, 'WITHSCORES')
local not_archived = oldest_pending[2] and tonumber(oldest_pending[2]) or math.huge
local surplus = redis.call('XLEN', stream) - ARGV[1]

local function forget(name, id)
    if redis.call('HGET', names, name) == id then redis.call('HDEL', names, name) end
end

for index, entry in ipairs(redis.call('XRANGE', stream, '-', '+', 'COUNT', ARGV[3])) do
    local id, fields = entry[1], entry[2]
    local age = now_ms - ms_of(id)
    local is_old = age > tonumber(ARGV[2]) or (index <= surplus and age > tonumber(ARGV[4]))
    if not is_old or ms_of(id) >= not_archived then return 0 end
    local field = {}
    for i = 1, #fields, 2 do field[fields[i]] = fields[i + 1] end
    forget(field.user .. ':' .. field.client, id)
    if field.kind == 'deleted' then
        -- The message's own entry went when it was deleted.
        local deleted = cjson.decode(field.payload)
        forget(field.user .. ':' .. deleted.client_id, deleted.message_id)
    end
    redis.call('XDEL', stream, id)
end
return redis.call('XLEN', stream) > 0 and 1 or 0
