"""What Redis does in one go. Each script is one step, so that nobody sees half of it."""

PAST_KEPT = 1000

# Beside each entity's own keys there is one set of everything to be done, by the moment from which on somebody may do
# it (members are entity, action and machine, a line each), and one hash of how often that was tried.
_NOW = """
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
"""

# KEYS: entity, timers, outbox, past, index, due, tries, answer, timers of the entity whose timer fires. ARGV: expected
# version, entity id, whether the entity itself changes, lease, machine, answer (or nothing), its seconds, whether it is
# the first; then groups, each with its length before it: the timer that fires (key, moment of entry or nothing),
# fields, states whose timers stop, single timers that stop, timers, past, actions, actions that must be held (id,
# fence), actions done, actions failed (id, pause, error, own attempt), actions given up (id, error, own attempt).
COMMIT = f"""
{_NOW}
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local expected = tonumber(ARGV[1])
local touches = ARGV[3] == '1'
if touches and expected >= 0 and expected ~= version then return {{0, version}} end
if ARGV[6] ~= '' and ARGV[8] == '1' and redis.call('EXISTS', KEYS[8]) == 1 then return {{2, 0}} end
local at = 9
local function group()
  local length = tonumber(ARGV[at])
  local items = {{}}
  for i = 1, length do items[i] = ARGV[at + i] end
  at = at + length + 1
  return items
end
local spent, fields, left, stopped = group(), group(), group(), group()
local timers, past, actions = group(), group(), group()
local held, done, failed, dead = group(), group(), group(), group()
for i = 1, #held, 2 do
  if redis.call('HEXISTS', KEYS[3], held[i]) == 0 or redis.call('HEXISTS', KEYS[7], held[i] .. ':d') == 1
    or redis.call('HGET', KEYS[7], held[i] .. ':f') ~= held[i + 1] then return {{3, held[i]}} end
end
if #spent > 0 then
  local kept = redis.call('HGET', KEYS[9], spent[1])
  if not kept or (spent[2] ~= '' and cjson.decode(kept)[3] ~= spent[2]) then return {{4, 0}} end
  redis.call('HDEL', KEYS[9], spent[1])
end
local function member(id)
  local machine = cjson.decode(redis.call('HGET', KEYS[3], id))[4]
  if machine == cjson.null then machine = '' end
  return ARGV[2] .. '\\n' .. id .. '\\n' .. machine
end
if touches then
  if #fields > 0 then redis.call('HSET', KEYS[1], unpack(fields)) end
  redis.call('HSET', KEYS[1], 'version', version + 1)
  redis.call('SADD', KEYS[5], ARGV[2])
  version = version + 1
end
for _, state in ipairs(left) do
  for _, key in ipairs(redis.call('HKEYS', KEYS[2])) do
    if string.sub(key, 1, #state + 1) == state .. '#' then redis.call('HDEL', KEYS[2], key) end
  end
end
if #stopped > 0 then redis.call('HDEL', KEYS[2], unpack(stopped)) end
if #timers > 0 then redis.call('HSET', KEYS[2], unpack(timers)) end
if #past > 0 then
  redis.call('RPUSH', KEYS[4], unpack(past))
  redis.call('LTRIM', KEYS[4], -{PAST_KEPT}, -1)
end
for i = 1, #actions, 2 do
  redis.call('HSET', KEYS[3], actions[i], actions[i + 1])
  redis.call('ZADD', KEYS[6], now + tonumber(ARGV[4]), ARGV[2] .. '\\n' .. actions[i] .. '\\n' .. ARGV[5])
end
for _, id in ipairs(done) do
  if redis.call('HEXISTS', KEYS[3], id) == 1 then
    redis.call('ZREM', KEYS[6], member(id))
    redis.call('HDEL', KEYS[3], id)
    redis.call('HDEL', KEYS[7], id .. ':a', id .. ':f', id .. ':e', id .. ':d')
  end
end
for i = 1, #failed, 4 do
  if redis.call('HEXISTS', KEYS[3], failed[i]) == 1 then
    redis.call('ZADD', KEYS[6], now + tonumber(failed[i + 1]), member(failed[i]))
    redis.call('HSET', KEYS[7], failed[i] .. ':e', failed[i + 2])
    redis.call('HINCRBY', KEYS[7], failed[i] .. ':a', tonumber(failed[i + 3]))
  end
end
for i = 1, #dead, 3 do
  if redis.call('HEXISTS', KEYS[3], dead[i]) == 1 then
    redis.call('ZREM', KEYS[6], member(dead[i]))
    redis.call('HSET', KEYS[7], dead[i] .. ':e', dead[i + 1], dead[i] .. ':d', member(dead[i]))
    redis.call('HINCRBY', KEYS[7], dead[i] .. ':a', tonumber(dead[i + 2]))
  end
end
if ARGV[6] ~= '' then redis.call('SET', KEYS[8], ARGV[6], 'PX', math.max(1, math.floor(tonumber(ARGV[7]) * 1000))) end
return {{1, version}}
"""

APPEND = """
local sequence = redis.call('HINCRBY', KEYS[1], 'event_seq', 1)
redis.call('RPUSH', KEYS[2], ARGV[1])
return sequence
"""

# KEYS: due, tries. ARGV: prefix of outboxes, how many, lease, whether only some machines, their names.
CLAIM = f"""
{_NOW}
local wanted = {{}}
for i = 5, #ARGV do wanted[ARGV[i]] = true end
local claimed = {{}}
for _, member in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now, 'LIMIT', 0, tonumber(ARGV[2]) * 10)) do
  if #claimed >= tonumber(ARGV[2]) * 5 then break end
  local entity, id, machine = string.match(member, '^(.-)\\n(.-)\\n(.*)$')
  if ARGV[4] == '0' or wanted[machine] then
    local text = redis.call('HGET', ARGV[1] .. entity, id)
    if text then
      redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), member)
      local attempt = redis.call('HINCRBY', KEYS[2], id .. ':a', 1)
      local fence = redis.call('HINCRBY', KEYS[2], id .. ':f', 1)
      for _, item in ipairs({{id, entity, text, attempt, fence}}) do claimed[#claimed + 1] = item end
    else
      redis.call('ZREM', KEYS[1], member)
    end
  end
end
return claimed
"""

# KEYS: due, tries. ARGV: prefix of outboxes, lease, then entity, action, machine and fence of each.
EXTEND = f"""
{_NOW}
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local id = string.match(member, '^.-\\n(.-)\\n')
  for i = 2, #ARGV, 2 do
    if ARGV[i] == id and redis.call('HGET', KEYS[2], id .. ':f') == ARGV[i + 1] then
      redis.call('ZADD', KEYS[1], now + tonumber(ARGV[1]), member)
    end
  end
end
"""

# KEYS: due, tries. ARGV: action.
REVIVE = f"""
{_NOW}
local member = redis.call('HGET', KEYS[2], ARGV[1] .. ':d')
if not member then return 0 end
redis.call('HDEL', KEYS[2], ARGV[1] .. ':d', ARGV[1] .. ':a')
redis.call('ZADD', KEYS[1], now, member)
return 1
"""

# KEYS: hold. ARGV: holder, milliseconds.
HOLD = """
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', tonumber(ARGV[2]))
return 1
"""
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
