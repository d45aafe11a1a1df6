-- The meters of gateway/decision in Lua: the same steps, on packed state. The Python files say what
-- they mean; this one only follows. It is loaded in front of each of the other scripts.
--
-- Times are microseconds, slices are numbered from the epoch. Numbers are doubles: everything here
-- is a whole number below 2^53, where doubles add, compare and take remainders exactly. A product
-- may be larger; it is then only compared with something smaller, which it exceeds all the same.
--
-- Terms `t`: kind, field, group, cost, capacity, span, rate (gateway/decision/meter.py).

local SLICES = 64
local MOST = 2 ^ 46
local MOST_US = 2 ^ 51
local pack, unpack_at, sub = struct.pack, struct.unpack, string.sub

local function server_clock()
  local time = redis.call('TIME')
  return time[1] * 1000000 + time[2]
end

local function slice_of(now, span)
  return (now - now % span) / span
end

-- Slices: all but the last are packed in `body`, each with the gap to the one after it and its
-- amount, in `width` bytes. The last, which most charges go to, is kept apart.

local ENTRY = {}
local WIDEST = {}
for width = 1, 7 do
  ENTRY[width] = '<BI' .. width
  WIDEST[width] = 256 ^ width - 1
end

local function append(m, gap, amount)
  if amount > WIDEST[m.width] then
    local width, wide, at = m.width, {}, 1
    while amount > WIDEST[width] do
      width = width + 1
    end
    while at <= #m.body do
      local g, a
      g, a, at = unpack_at(ENTRY[m.width], m.body, at)
      wide[#wide + 1] = pack(ENTRY[width], g, a)
    end
    m.width, m.body = width, table.concat(wide)
  end
  m.body = m.body .. pack(ENTRY[m.width], gap, amount)
end

-- Make the last entry of the body the last slice.
local function step_back(m)
  local at = #m.body - m.width
  local gap, amount = unpack_at(ENTRY[m.width], m.body, at)
  m.body = sub(m.body, 1, at - 1)
  m.last = m.last - gap
  m.amount = amount
end

local function lower(m, at, gap, amount)
  m.body = sub(m.body, 1, at - 1) .. pack(ENTRY[m.width], gap, amount) .. sub(m.body, at + m.width + 1)
end

-- gateway/decision/sliding.py -------------------------------------------------------------------

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

-- gateway/decision/bucket.py: PacedMeter --------------------------------------------------------

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

-- gateway/decision/bucket.py: RefundableBucket --------------------------------------------------

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

-- gateway/decision/leases.py --------------------------------------------------------------------
-- Entries of 15 bytes, in the order of their deadlines: 8 of the holder's digest, 7 of the deadline.

local HELD = 15
local leases = {}

local function cut(list, latest)
  local at = #list - HELD + 1
  if at < 1 or unpack_at('<I7', list, at + 8) <= latest then
    return list, false
  end
  local holders = {}
  while at >= 1 and unpack_at('<I7', list, at + 8) > latest do
    table.insert(holders, 1, sub(list, at, at + 7) .. pack('<I7', latest))
    at = at - HELD
  end
  return sub(list, 1, at + HELD - 1) .. table.concat(holders), true
end

local function living(list, now)
  local at = 1
  while at <= #list and unpack_at('<I7', list, at + 8) <= now do
    at = at + HELD
  end
  return at > 1 and sub(list, at) or list
end

-- Where the holder's entry begins, and its deadline.
local function find(list, id)
  local at = string.find(list, id, 1, true)
  while at and at % HELD ~= 1 do
    at = string.find(list, id, at + 1, true)
  end
  if at then
    return at, (unpack_at('<I7', list, at + 8))
  end
end

local function release(list, id)
  local at = find(list, id)
  return at and sub(list, 1, at - 1) .. sub(list, at + HELD) or list
end

local function hold(list, id, deadline)
  return list .. id .. pack('<I7', deadline)
end

function leases.read(value)
  return { list = value or '' }
end

function leases.pack(m)
  return m.list
end

function leases.follow_clock(m, t, now)
  local moved
  m.list, moved = cut(m.list, now + t.span)
  return moved
end

function leases.view(m, t, now)
  local taken = #living(m.list, now) / HELD
  return taken + t.cost <= t.capacity, taken
end

function leases.charge(m, t, id, now)
  m.list = hold(living(m.list, now), id, now + t.span)
end

function leases.renew(m, t, id, now)
  m.list = hold(release(living(m.list, now), id), id, now + t.span)
end

function leases.settle(m, t, id, d, now)
  m.list = release(living(m.list, now), id)
end

function leases.life(m, t, now)
  return t.span
end

local KINDS = { s = sliding, p = paced, b = bucket, h = leases }

-- The partition's own field: how long its meters can matter, and the records of what is unsettled.

local OWN = '$'

local function own_read(value)
  if not value then
    return { longest = 0, records = '' }
  end
  return { longest = (unpack_at('<I7', value)), records = sub(value, 8) }
end

local function keep(changed, own, t, now)
  changed[#changed + 1] = t.field
  changed[#changed + 1] = t.kind.pack(t.meter)
  own.longest = math.min(MOST_US, math.max(own.longest, t.kind.life(t.meter, t, now)))
end

-- Write what has changed, in one command, and let the key live as long as it matters.
local function write(key, own, changed, now, record, grace)
  changed[#changed + 1] = OWN
  changed[#changed + 1] = pack('<I7', own.longest) .. own.records
  redis.call('HSET', key, unpack(changed))
  local life = own.longest
  if #own.records > 0 then
    life = math.max(life, record)
  end
  redis.call('PEXPIRE', key, math.ceil((life + grace) / 1000))
end

-- Read the partitions' fields: for each key the own field and one meter for each of its terms.
-- ARGV from `at`: for each key the number of its terms, then their seven words each.
local function read(at)
  local partitions = {}
  for k = 1, #KEYS do
    local fields, terms = { OWN }, {}
    for i = 1, tonumber(ARGV[at]) do
      local a = at + 1 + (i - 1) * 7
      terms[i] = {
        kind = KINDS[ARGV[a]], field = ARGV[a + 1], group = tonumber(ARGV[a + 2]),
        cost = tonumber(ARGV[a + 3]), capacity = tonumber(ARGV[a + 4]),
        span = tonumber(ARGV[a + 5]), rate = tonumber(ARGV[a + 6]),
      }
      fields[i + 1] = ARGV[a + 1]
    end
    at = at + 1 + #terms * 7
    local values = redis.call('HMGET', KEYS[k], unpack(fields))
    for i = 1, #terms do
      terms[i].meter = terms[i].kind.read(values[i + 1])
    end
    partitions[k] = { key = KEYS[k], own = own_read(values[1]), terms = terms }
  end
  return partitions
end
