-- Charge everything that is enforced, or nothing at all (gateway/decision/port.py: Store.reserve).
--
-- KEYS: one per partition; the first is the account's own if its hand is to be looked at.
-- ARGV: now ('' for the server's clock), the reservation's digest, how long its record lives, the
-- grace of a key's life; after which moment it is too late ('' for never); the operator's hand that
-- the terms were made by and until when it stays so ('' if none is to be looked at), 1 for only
-- looking; then per partition the number of charges and their terms. `group` is 0 for what is
-- enforced, otherwise the number of a shadow quota.
-- Returns: admitted, now, then per charge: 1 if it was charged, and three values that say what
-- its meter was before (gateway/store/redis/words.py reads them). Only {-1, now} if the clock is
-- beyond the calendar windows that were told, {-2, now, hand} if the account's hand is another one,
-- {-3, now} if it is too late: who asked has given up, and perhaps taken back what this would charge.
-- Nothing is written then.
--
-- What is refused writes nothing, unless the clock was set back: then what had lain in the future is
-- written where it lies now, so that waiting helps.

local now = tonumber(ARGV[1]) or server_clock()
local id, record, grace = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if too_late(ARGV[5], now) then
  return { -3, now }
end
local hand, unchanged_until, only_looking = ARGV[6], tonumber(ARGV[7]), ARGV[8] == '1'
local partitions = read(9)
if unchanged_until and (partitions[1].own.hand ~= hand or now >= unchanged_until) then
  return { -2, now, partitions[1].own.hand }
end
if beyond(partitions, now) then
  return { -1, now }
end

local refused = {}
for _, p in ipairs(partitions) do
  p.own.records, p.moved = cut(p.own.records, now + record)
  for _, t in ipairs(p.terms) do
    t.moved = t.kind.follow_clock(t.meter, t, now)
    t.fits, t.a, t.b, t.c = t.kind.view(t.meter, t, now)
    if not t.fits then
      refused[t.group] = true
    end
  end
end

local admitted = not (refused[0] or only_looking)
local reply = { admitted and 1 or 0, now }
for _, p in ipairs(partitions) do
  local changed, charged = {}, false
  for _, t in ipairs(p.terms) do
    local made = admitted and not refused[t.group]
    if made then
      t.kind.charge(t.meter, t, id, now)
      charged = true
    end
    if made or t.moved then
      keep(changed, p.own, t, now)
    end
    reply[#reply + 1] = made and 1 or 0
    reply[#reply + 1] = t.a
    reply[#reply + 1] = t.b or 0
    reply[#reply + 1] = t.c or 0
  end
  if charged then
    p.own.records = hold(living(p.own.records, now), id, now + record)
  end
  if charged or not only_looking and (p.moved or #changed > 0) then
    write(p.key, p.own, changed, now, record, grace)
  end
end
return reply
