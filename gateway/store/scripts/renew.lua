-- Keep the slots of a living exchange (gateway/decision/port.py: Store.renew).
--
-- KEYS and ARGV as for reserve.lua; the terms are those of the slots alone.
-- What was settled is not renewed. A record that is half through its life begins anew, so that an
-- exchange can be settled however long it takes. Returns {now}.

local now = tonumber(ARGV[1]) or server_clock()
local id, record, grace = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])

for _, p in ipairs(read(5)) do
  local found, deadline = find(p.own.records, id)
  if found and deadline > now then
    local changed = {}
    p.own.records = living(cut(p.own.records, now + record), now)
    if deadline - now < record / 2 then
      p.own.records = hold(release(p.own.records, id), id, now + record)
    end
    for _, t in ipairs(p.terms) do
      t.kind.follow_clock(t.meter, t, now)
      leases.renew(t.meter, t, id, now)
      keep(changed, p.own, t, now)
    end
    write(p.key, p.own, changed, now, record, grace)
  end
end
return { now }
