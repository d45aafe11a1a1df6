-- gateway/decision/sliding.py

local sliding = {}

function sliding.read(value)
  if not value then
    return { width = 1, first = 0, last = 0, amount = 0, total = 0, body = '' }
  end
  local width, span, last, amount, total, at = unpack_at('<BBI5I6I6', value)
  return {
    width = width, first = last - span, last = last, amount = amount, total = total,
    body = sub(value, at), value = value,
  }
end

function sliding.pack(m)
  return pack('<BBI5I6I6', m.width, m.last - m.first, m.last, m.amount, m.total) .. m.body
end

local function drop_lapsed(m, present)
  if m.amount == 0 or m.first + SLICES >= present then
    return
  end
  if m.last + SLICES < present then
    m.amount, m.total, m.body = 0, 0, ''
    return
  end
  local at, gap, amount = 1, 0, 0
  while m.first + SLICES < present do
    gap, amount, at = unpack_at(ENTRY[m.width], m.body, at)
    m.total = m.total - amount
    m.first = m.first + gap
  end
  m.body = sub(m.body, at)
end

function sliding.follow_clock(m, t, now)
  local present = slice_of(now, t.span)
  if m.amount == 0 or m.last <= present then
    return false
  end
  local moved = m.amount
  while #m.body > 0 do
    local gap = unpack_at('<B', m.body, #m.body - m.width)
    if m.last - gap < present then
      break
    end
    step_back(m)
    moved = moved + m.amount
  end
  if #m.body == 0 then
    m.first = present
  else
    local at = #m.body - m.width
    local gap, amount = unpack_at(ENTRY[m.width], m.body, at)
    lower(m, at, gap - (m.last - present), amount)
  end
  m.last, m.amount = present, moved
  drop_lapsed(m, present)
  m.value = sliding.pack(m)
  return true
end

function sliding.view(m, t, now)
  drop_lapsed(m, slice_of(now, t.span))
  if m.total + t.cost <= t.capacity then
    return true, m.total, m.total > 0 and m.last or -1
  end
  return false, m.value or ''
end

local function sliding_add(m, units, present)
  drop_lapsed(m, present)
  units = math.min(units, MOST - m.total)
  if m.amount > 0 and m.last == present then
    m.amount = m.amount + units
  elseif units > 0 then
    if m.amount > 0 then
      append(m, present - m.last, m.amount)
    else
      m.first = present
    end
    m.last, m.amount = present, units
  end
  m.total = m.total + units
end

function sliding.charge(m, t, id, now)
  sliding_add(m, t.cost, slice_of(now, t.span))
end

function sliding.settle(m, t, id, d, now)
  local present = slice_of(now, t.span)
  if d.change > 0 then
    return sliding_add(m, d.change, present)
  end
  drop_lapsed(m, present)
  local target = slice_of(d.at, t.span)
  local given_back = 0
  if m.last == target then
    given_back = math.min(-d.change, m.amount)
    m.amount = m.amount - given_back
  else
    local slice, at = m.last, #m.body - m.width
    while at >= 1 and slice > target do
      local gap, amount = unpack_at(ENTRY[m.width], m.body, at)
      slice = slice - gap
      if slice == target then
        given_back = math.min(-d.change, amount)
        lower(m, at, gap, amount - given_back)
      end
      at = at - m.width - 1
    end
  end
  m.total = m.total - given_back
  while m.amount == 0 and #m.body > 0 do
    step_back(m)
  end
end

function sliding.life(m, t, now)
  return (SLICES + 1) * t.span
end
