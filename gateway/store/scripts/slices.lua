-- What all meters share. Each file here that is named after one in gateway/decision takes the same
-- steps, on packed state: the Python says what they mean, the Lua only follows. scripts.py puts them
-- together in front of reserve, settle and renew.
--
-- Times are microseconds, slices are numbered from the epoch. Numbers are doubles: everything here
-- is a whole number below 2^53, where doubles add, compare and take remainders exactly. A product
-- may be larger; it is then only compared with something smaller, which it exceeds all the same.
--
-- Terms `t`: kind, field, group, cost, capacity, span, rate, starts (gateway/decision/meter.py).

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
