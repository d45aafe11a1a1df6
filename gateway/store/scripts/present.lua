-- Say that a replica is alive, and count all that are.
--
-- KEYS: the sorted set of replicas, by the moment of their last word.
-- ARGV: the replica's name, how long its word counts.
-- Returns: how many are alive, whether this one was known before, now.
--
-- It writes, so that a server that takes no writes is not mistaken for one that is well. A name stays
-- for a day, so that a server that has lost its memory is told from one that was away for long.

local DAY = 86400 * 1000000

local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local lasting = tonumber(ARGV[2])
local known = redis.call('ZSCORE', KEYS[1], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now - DAY))
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], DAY / 1000)
local alive = redis.call('ZCOUNT', KEYS[1], string.format('(%.0f', now - lasting), '+inf')
return { alive, known and 1 or 0, now }
