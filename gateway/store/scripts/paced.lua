-- gateway/decision/bucket.py: PacedMeter

local paced = {}

function paced.read(value)
  local drained, charged = 0, 0
  if value then
    drained, charged = unpack_at('<I7I7', value)
  end
  return { drained = drained, charged = charged }
end

function paced.pack(m)
  return pack('<I7I7', m.drained, m.charged)
end

function paced.follow_clock(m, t, now)
  if m.charged <= now then
    return false
  end
  m.drained = m.drained - (m.charged - now)
  m.charged = now
  return true
end

function paced.view(m, t, now)
  local level = math.max(0, m.drained - now)
  return level + t.cost <= t.capacity, m.drained
end

local function paced_add(m, added, now)
  m.drained = now + math.min(MOST_US, math.max(0, m.drained - now) + added)
  m.charged = now
end

function paced.charge(m, t, id, now)
  paced_add(m, t.cost, now)
end

function paced.settle(m, t, id, d, now)
  if d.change > 0 then
    paced_add(m, d.change, now)
  elseif not d.set_back then
    m.drained = math.max(now, m.drained - math.max(0, -d.change - (now - d.at)))
    m.charged = now
  end
end

function paced.life(m, t, now)
  return math.max(0, m.drained - now)
end
