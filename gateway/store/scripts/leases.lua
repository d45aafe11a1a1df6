-- gateway/decision/leases.py
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
