-- gateway/decision/calendar_meter.py

local calendar = {}

local function starts_of(word)
  local starts = {}
  for at = 1, #word, 7 do
    starts[#starts + 1] = (unpack_at('<I7', word, at))
  end
  return starts
end

-- When the window of this moment began, and when it ends. It is among those that were told.
local function window(t, now)
  local i = #t.starts - 1
  while t.starts[i] > now do
    i = i - 1
  end
  return t.starts[i], t.starts[i + 1]
end

function calendar.read(value)
  local start, used = 0, 0
  if value then
    start, used = unpack_at('<I7I6', value)
  end
  return { start = start, used = used }
end

function calendar.pack(m)
  return pack('<I7I6', m.start, m.used)
end

function calendar.follow_clock(m, t, now)
  local start = window(t, now)
  if m.start <= start then
    return false
  end
  m.start = start
  return true
end

function calendar.view(m, t, now)
  local start = window(t, now)
  local used = m.start == start and m.used or 0
  return used + t.cost <= t.capacity, used, start
end

local function calendar_add(m, t, units, now)
  local start = window(t, now)
  if m.start ~= start then
    m.start, m.used = start, 0
  end
  m.used = math.min(MOST, m.used + units)
end

function calendar.charge(m, t, id, now)
  calendar_add(m, t, t.cost, now)
end

function calendar.settle(m, t, id, d, now)
  if d.change > 0 then
    return calendar_add(m, t, d.change, now)
  end
  local start = window(t, now)
  if m.start == start and start <= d.at then
    m.used = math.max(0, m.used + d.change)
  end
end

function calendar.life(m, t, now)
  local _, ends = window(t, now)
  return ends - now
end
