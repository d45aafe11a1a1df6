-- What is read of the partitions and written to them.

local KINDS = { s = sliding, p = paced, b = bucket, c = calendar, h = leases }

-- The partition's own field: how long its meters can matter, and the records of what is unsettled.

local OWN = '$'

-- An operator's hand on the account; it begins with the moment at which nothing of it is left.

local HAND = '!'

local function own_read(value, hand)
  if not value then
    return { longest = 0, records = '', hand = hand or '' }
  end
  return { longest = (unpack_at('<I7', value)), records = sub(value, 8), hand = hand or '' }
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
  if #own.hand > 0 then
    life = math.max(life, (unpack_at('<I7', own.hand)) - now)
  end
  redis.call('PEXPIRE', key, math.ceil((life + grace) / 1000))
end

-- Read the partitions' fields: for each key the own field and one meter for each of its terms.
-- ARGV from `at`: for each key the number of its terms, then their seven words each. A calendar has
-- its `starts` in the place of `span`.
local function read(at)
  local partitions = {}
  for k = 1, #KEYS do
    local fields, terms = { OWN, HAND }, {}
    for i = 1, tonumber(ARGV[at]) do
      local a = at + 1 + (i - 1) * 7
      terms[i] = {
        kind = KINDS[ARGV[a]], field = ARGV[a + 1], group = tonumber(ARGV[a + 2]),
        cost = tonumber(ARGV[a + 3]), capacity = tonumber(ARGV[a + 4]),
        rate = tonumber(ARGV[a + 6]),
      }
      if terms[i].kind == calendar then
        terms[i].starts = starts_of(ARGV[a + 5])
      else
        terms[i].span = tonumber(ARGV[a + 5])
      end
      fields[i + 2] = ARGV[a + 1]
    end
    at = at + 1 + #terms * 7
    local values = redis.call('HMGET', KEYS[k], unpack(fields))
    for i = 1, #terms do
      terms[i].meter = terms[i].kind.read(values[i + 2])
    end
    partitions[k] = { key = KEYS[k], own = own_read(values[1], values[2]), terms = terms }
  end
  return partitions
end

-- Whether a window of this moment was not told, so that nothing can be said or written.
local function beyond(partitions, now)
  for _, p in ipairs(partitions) do
    for _, t in ipairs(p.terms) do
      if t.starts and (now < t.starts[1] or now >= t.starts[#t.starts]) then
        return true
      end
    end
  end
  return false
end

local function too_late(not_after, now)
  return not_after ~= '' and now > tonumber(not_after)
end
