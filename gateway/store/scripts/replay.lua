-- Charge what was admitted while the server was away, regardless of the limits, once
-- (gateway/decision/port.py: SharedStore.replay).
--
-- KEYS as for reserve.lua; ARGV too, up to the moment after which it is too late, then the terms.
-- A partition that knows the reservation has been charged.
-- Returns {1, now}; {-1, now} and {-3, now} as reserve.lua.

local now = tonumber(ARGV[1]) or server_clock()
local id, record, grace = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
if too_late(ARGV[5], now) then
  return { -3, now }
end
local partitions = read(6)
if beyond(partitions, now) then
  return { -1, now }
end

for _, p in ipairs(partitions) do
  if not find(p.own.records, id) then
    p.own.records = hold(living(cut(p.own.records, now + record), now), id, now + record)
    local changed = {}
    for _, t in ipairs(p.terms) do
      t.kind.follow_clock(t.meter, t, now)
      t.kind.charge(t.meter, t, id, now)
      keep(changed, p.own, t, now)
    end
    write(p.key, p.own, changed, now, record, grace)
  end
end
return { 1, now }
