"""What is done to timers in Redis, each as one step that nobody comes between.

Of a task there is a hash; while it waits it is in a sorted set by the moment at which somebody may take it: when it is
due, or when the lease of whoever has taken it lapses. Keys of tasks are made in the scripts, out of the prefix.
"""

# KEYS: task, queue, tasks of the entity, machines. ARGV: moment in ms, machine or '', prefix of tasks, then names and
# values of the hash.
KEEP = """
local old = redis.call('HGET', KEYS[1], 'queue')
if old then redis.call('ZREM', old, string.sub(KEYS[1], #ARGV[3] + 1)) end
local fence = tonumber(redis.call('HGET', KEYS[1], 'fence') or '0')
redis.call('DEL', KEYS[1])
for i = 4, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('HSET', KEYS[1], 'queue', KEYS[2], 'fence', fence + 1)
local id = string.sub(KEYS[1], #ARGV[3] + 1)
redis.call('ZADD', KEYS[2], ARGV[1], id)
redis.call('SADD', KEYS[3], id)
if ARGV[2] ~= '' then redis.call('SADD', KEYS[4], ARGV[2]) end
return 1
"""

# KEYS: queues. ARGV: limit, lease in ms, prefix of tasks. Gives hashes as lists.
CLAIM = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left, found = tonumber(ARGV[1]), {}
for _, queue in ipairs(KEYS) do
  if left > 0 then
    for _, id in ipairs(redis.call('ZRANGEBYSCORE', queue, '-inf', now, 'LIMIT', 0, left)) do
      local task = ARGV[3] .. id
      if redis.call('EXISTS', task) == 1 then
        redis.call('ZADD', queue, now + ARGV[2], id)
        redis.call('HINCRBY', task, 'attempt', 1)
        redis.call('HINCRBY', task, 'fence', 1)
        redis.call('HSET', task, 'status', 'running')
        found[#found + 1] = redis.call('HGETALL', task)
        left = left - 1
      else
        redis.call('ZREM', queue, id)
      end
    end
  end
end
return found
"""

# KEYS: task. ARGV: id, fence, ms from now on until somebody may take it, status, error. Whether the task was held.
DEFER = """
if redis.call('HGET', KEYS[1], 'fence') ~= ARGV[2] or redis.call('HGET', KEYS[1], 'status') ~= 'running' then
  return 0
end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZADD', redis.call('HGET', KEYS[1], 'queue'), now + ARGV[3], ARGV[1])
redis.call('HSET', KEYS[1], 'status', ARGV[4], 'error', ARGV[5])
return 1
"""

# KEYS: task, tasks of the entity. ARGV: id, fence or '', status, moment of firing or '', error, seconds to remember it.
END = """
local status = redis.call('HGET', KEYS[1], 'status')
if not status or (status ~= 'pending' and status ~= 'running') then return 0 end
if ARGV[2] ~= '' and redis.call('HGET', KEYS[1], 'fence') ~= ARGV[2] then return 0 end
redis.call('ZREM', redis.call('HGET', KEYS[1], 'queue'), ARGV[1])
redis.call('SREM', KEYS[2], ARGV[1])
redis.call('HINCRBY', KEYS[1], 'fence', 1)
redis.call('HSET', KEYS[1], 'status', ARGV[3], 'error', ARGV[5])
if ARGV[4] ~= '' then redis.call('HSET', KEYS[1], 'fired_at', ARGV[4]) end
redis.call('EXPIRE', KEYS[1], ARGV[6])
return 1
"""

# KEYS: task. ARGV: id, moment in ms, the same as text. Only where nobody holds the task.
MOVE = """
if redis.call('HGET', KEYS[1], 'status') ~= 'pending' then return 0 end
redis.call('ZADD', redis.call('HGET', KEYS[1], 'queue'), ARGV[2], ARGV[1])
redis.call('HSET', KEYS[1], 'fires_at', ARGV[3])
return 1
"""

# KEYS: where the last look is kept. ARGV: this one. Gives the one before.
SEEN = """
local before = redis.call('GET', KEYS[1])
redis.call('SET', KEYS[1], ARGV[1])
return before
"""
