-- Put an operator's hand on an account, or take it off (gateway/decision/hand.py), unless somebody
-- else was quicker.
--
-- KEYS: the account's own partition. ARGV: what is there, as the caller has seen it ('' for nothing),
-- what is to be there, and for how many milliseconds.
-- Returns {1}, or {0, what is there}.

local seen, new, lasts = ARGV[1], ARGV[2], tonumber(ARGV[3])
local there = redis.call('HGET', KEYS[1], HAND) or ''
if there ~= seen then
  return { 0, there }
end
if new == '' then
  redis.call('HDEL', KEYS[1], HAND)
else
  redis.call('HSET', KEYS[1], HAND, new)
  if redis.call('PTTL', KEYS[1]) < lasts then
    redis.call('PEXPIRE', KEYS[1], lasts)
  end
end
return { 1 }
