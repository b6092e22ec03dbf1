-- Renews the lease of a process in one partition. Answers the state of the partition.
--
-- KEYS  1 the processes of this partition    (sorted set, by the end of their lease in milliseconds)
--       2 the partition's state              (hash: renewed, server, era)
--       3 all that the process has noted here
-- ARGV  1 the process   2 how long a lease is, in milliseconds   3 the run id of this server
--
-- Answers {era, the number of the process's notes here, the dead processes}. A new era means that Redis lost
-- some of its data, or all.

local leases, state, own = KEYS[1], KEYS[2], KEYS[3]
local process, lease_ms, server = ARGV[1], tonumber(ARGV[2]), ARGV[3]

local now = redis.call('TIME')
now = now[1] * 1000 + math.floor(now[2] / 1000)

local renewed, on_server, era = unpack(redis.call('HMGET', state, 'renewed', 'server', 'era'))
if on_server ~= server then
    era = now .. ':' .. process
    redis.call('HSET', state, 'server', server, 'era', era)
end
if on_server ~= server or not renewed or now - renewed > lease_ms / 2 then
    -- No lease was renewed for as long as that: Redis was away, and no process is dead for that reason.
    for _, other in ipairs(redis.call('ZRANGE', leases, 0, -1)) do
        redis.call('ZADD', leases, now + lease_ms, other)
    end
end
redis.call('HSET', state, 'renewed', now)
redis.call('ZADD', leases, now + lease_ms, process)
return {era, redis.call('HLEN', own), redis.call('ZRANGEBYSCORE', leases, '-inf', now)}
