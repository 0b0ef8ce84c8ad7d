"""What is done in Redis in one step."""

# Field by field as `CHANGES` of a record say: KEYS[1] the hash; ARGV: the expected version or -1, fields to set,
# fields to remove, milliseconds to live or 0, now.
_APPLY = """
local function apply(key, set, removed, ttl, now)
    for name, value in pairs(set) do redis.call('HSET', key, name, value) end
    for _, name in ipairs(removed) do redis.call('HDEL', key, name) end
    if redis.call('HEXISTS', key, 'state') == 0 and redis.call('HEXISTS', key, 'data') == 0 then
        redis.call('DEL', key)
        return
    end
    redis.call('HINCRBY', key, 'version', 1)
    redis.call('HSET', key, 'at', now)
    if ttl > 0 then redis.call('PEXPIRE', key, ttl) end
end
"""
CHANGE = f"""{_APPLY}
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
local expected = tonumber(ARGV[1])
if expected >= 0 and expected ~= version then return 0 end
apply(KEYS[1], cjson.decode(ARGV[2]), cjson.decode(ARGV[3]), tonumber(ARGV[4]), ARGV[5])
return 1
"""
# KEYS: the journal, its attempts, hashes of records; ARGV: the event, milliseconds to live, now, then for each record
# the expected version, fields to set, fields to remove.
FINISH = f"""{_APPLY}
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 'gone' end
for number = 3, #KEYS do
    local version = tonumber(redis.call('HGET', KEYS[number], 'version') or '0')
    if version ~= tonumber(ARGV[3 * number - 5]) then return 'conflict' end
end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
for number = 3, #KEYS do
    local at = 3 * number - 5
    apply(KEYS[number], cjson.decode(ARGV[at + 1]), cjson.decode(ARGV[at + 2]), tonumber(ARGV[2]), ARGV[3])
end
return 'done'
"""
# KEYS: the journal, the offset; ARGV: the offset, then ids and events. Ids are compared as texts: Lua's numbers are
# not exact everywhere.
TAKE = """
for number = 2, #ARGV, 2 do redis.call('HSETNX', KEYS[1], ARGV[number], ARGV[number + 1]) end
local known = redis.call('GET', KEYS[2]) or '0'
if #ARGV[1] > #known or (#ARGV[1] == #known and ARGV[1] > known) then redis.call('SET', KEYS[2], ARGV[1]) end
"""
# KEYS: the journal, its attempts; ARGV: the event, how often it was begun.
BEGIN = """
if redis.call('HEXISTS', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('HSET', KEYS[2], ARGV[1], ARGV[2])
return 1
"""
# KEYS: the journal, its attempts, the dead; ARGV: the event, the error, now.
BURY = """
local raw = redis.call('HGET', KEYS[1], ARGV[1])
if not raw then return 0 end
local attempts = tonumber(redis.call('HGET', KEYS[2], ARGV[1]) or '0')
local letter = cjson.encode({raw = raw, attempts = attempts, error = ARGV[2], died_at = ARGV[3]})
redis.call('HSET', KEYS[3], ARGV[1], letter)
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
"""
# KEYS: the journal, the dead; ARGV: the event.
REVIVE = """
local letter = redis.call('HGET', KEYS[2], ARGV[1])
if not letter then return 0 end
redis.call('HSETNX', KEYS[1], ARGV[1], cjson.decode(letter).raw)
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
"""
# KEYS: the lease; ARGV: who, milliseconds, whose place may be taken.
HOLD = """
local held_by = redis.call('GET', KEYS[1])
if held_by and held_by ~= ARGV[1] and held_by ~= ARGV[3] then return held_by end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return ARGV[1]
"""
# KEYS: the lease; ARGV: who.
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end"

__all__ = ["BEGIN", "BURY", "CHANGE", "FINISH", "HOLD", "RELEASE", "REVIVE", "TAKE"]
