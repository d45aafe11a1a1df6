-- gateway/decision/bucket.py: RefundableBucket

local bucket = {}

function bucket.read(value)
  if not value then
    return { width = 1, first = 0, last = 0, amount = 0, level = 0, base = 0, empty_by = 0, body = '' }
  end
  local width, span, last, amount, level, base, empty_by, at = unpack_at('<BBI5I6I7I7I7', value)
  return {
    width = width, first = last - span, last = last, amount = amount, level = level, base = base,
    empty_by = empty_by, body = sub(value, at), used = true,
  }
end

function bucket.pack(m)
  return pack(
    '<BBI5I6I7I7I7', m.width, m.last - m.first, m.last, m.amount, m.level, m.base, m.empty_by
  ) .. m.body
end

local function empty_by(present, level, arrived, t)
  if level + arrived == 0 then
    return present
  end
  return present + 1 + math.ceil((math.max(0, level - t.rate) + arrived) / t.rate)
end

local function level_after(t, level, amount, slices)
  local next_level = math.max(0, level - t.rate) + amount * SLICES
  return math.max(0, next_level - t.rate * (slices - 1))
end

local function bucket_at(m, t, present)
  if present >= m.empty_by then
    return 0, 0
  end
  if m.last == present then
    return m.level, m.amount * SLICES
  end
  return level_after(t, m.level, m.amount, present - m.last), 0
end

function bucket.follow_clock(m, t, now)
  local present = slice_of(now, t.span)
  if not m.used or m.last <= present then
    return false
  end
  local slice, level, moved, at, kept = m.first, m.base, 0, 1, 0
  while slice < present do -- at least the last is not
    local gap, amount, next_at = unpack_at(ENTRY[m.width], m.body, at)
    level = level_after(t, level, amount, gap)
    slice, kept, at = slice + gap, at, next_at
  end
  if slice > present then
    level = level + t.rate
  end
  local rest = at
  while rest <= #m.body do
    local _, amount
    _, amount, rest = unpack_at(ENTRY[m.width], m.body, rest)
    moved = moved + amount
  end
  m.body = sub(m.body, 1, at - 1)
  if kept > 0 then
    local gap, amount = unpack_at(ENTRY[m.width], m.body, kept)
    lower(m, kept, gap - (slice - present), amount)
  else
    m.first, m.base = present, level
  end
  m.last, m.level, m.amount = present, level, math.min(MOST, moved + m.amount)
  m.empty_by = empty_by(present, level, m.amount * SLICES, t)
  return true
end

function bucket.view(m, t, now)
  local level, arrived = bucket_at(m, t, slice_of(now, t.span))
  return level + arrived + t.cost * SLICES <= t.capacity * SLICES, level, arrived, m.empty_by
end

local function bucket_add(m, t, units, present)
  local level, arrived = bucket_at(m, t, present)
  local anew = not m.used or present >= m.empty_by or present - m.last > SLICES
  m.empty_by = empty_by(present, level, arrived + units * SLICES, t)
  if not anew and m.last == present then
    m.amount = m.amount + units
    return
  end
  if anew then
    m.first, m.base, m.body, m.used = present, level, '', true
  else
    append(m, present - m.last, m.amount)
  end
  m.last, m.amount, m.level = present, units, level
  local at = 1
  while m.first + SLICES < present do
    local gap, amount
    gap, amount, at = unpack_at(ENTRY[m.width], m.body, at)
    m.base = level_after(t, m.base, amount, gap)
    m.first = m.first + gap
  end
  m.body = sub(m.body, at)
end

function bucket.charge(m, t, id, now)
  bucket_add(m, t, t.cost, slice_of(now, t.span))
end

function bucket.settle(m, t, id, d, now)
  local present = slice_of(now, t.span)
  if d.change > 0 then
    local level, arrived = bucket_at(m, t, present)
    local room = math.max(0, math.floor((MOST * SLICES - level - arrived) / SLICES))
    return bucket_add(m, t, math.min(d.change, room), present)
  end
  local target = slice_of(d.at, t.span)
  if present >= m.empty_by then
    return
  end
  if m.last == target then
    m.amount = math.max(0, m.amount + d.change)
    local level, arrived = bucket_at(m, t, present)
    m.empty_by = empty_by(present, level, arrived, t)
    return
  end
  local slice, level, at, found = m.first, m.base, 1, false
  while at <= #m.body do
    local gap, amount, next_at = unpack_at(ENTRY[m.width], m.body, at)
    if slice == target then
      found = true
      amount = math.max(0, amount + d.change)
      lower(m, at, gap, amount)
    end
    level = level_after(t, level, amount, gap)
    slice, at = slice + gap, next_at
  end
  if found then
    m.level = level
    local now_level, arrived = bucket_at(m, t, present)
    m.empty_by = empty_by(present, now_level, arrived, t)
  end
end

function bucket.life(m, t, now)
  return math.max(SLICES + 1, m.empty_by - slice_of(now, t.span)) * t.span
end
