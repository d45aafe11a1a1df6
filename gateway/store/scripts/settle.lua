-- Release the slots and apply the differences, once (gateway/decision/port.py: Store.settle).
--
-- KEYS and ARGV as for reserve.lua, after the grace the moment of the reservation; `cost` is here
-- the change: the actual less the reserved.
-- Returns {now} if the reservation was open in any partition, else {0}. In those where it was not
-- nothing moves.
-- {-1, now} as reserve.lua.

local now = tonumber(ARGV[1]) or server_clock()
local id, record, grace = ARGV[2], tonumber(ARGV[3]), tonumber(ARGV[4])
local reserved_at = tonumber(ARGV[5])
local partitions = read(6)
if beyond(partitions, now) then
  return { -1, now }
end

local applied = 0
for _, p in ipairs(partitions) do
  local found, deadline = find(p.own.records, id)
  if found and deadline > now then
    applied = now
    local at = math.min(reserved_at, deadline - record, now)
    p.own.records = release(living(cut(p.own.records, now + record), now), id)
    local changed = {}
    for _, t in ipairs(p.terms) do
      t.kind.follow_clock(t.meter, t, now)
      local difference = { change = t.cost, at = at, set_back = at < reserved_at }
      t.kind.settle(t.meter, t, id, difference, now)
      keep(changed, p.own, t, now)
    end
    write(p.key, p.own, changed, now, record, grace)
  end
end
return { applied }
