-- Charge what was admitted while the server was away, regardless of the limits, once
-- (gateway/decision/port.py: SharedStore.replay).
--
-- KEYS and ARGV as for reserve.lua. A partition that knows the reservation has been charged.
-- Returns {1, now}; {-1, now} as reserve.lua.

local now = tonumber(ARGV[1]) or server_clock()
local id, record, grace = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local partitions = read(5)
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
