"""Timers in Redis."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from spikard.fsm.background_loop import BackgroundLoop
from spikard.fsm.schedulers import redis_scripts as scripts
from spikard.fsm.schedulers.due_timer import DueTimer
from spikard.fsm.schedulers.durable import FINISHED_KEPT_SECONDS, DurableScheduler, entered
from spikard.fsm.schedulers.restoring import RestorePolicy, restored
from spikard.fsm.schedulers.sql import LOOKS_MISSED
from spikard.fsm.schedulers.task import ScheduledTask, TaskStatus

Fields = dict[str, str]

# What makes a second connection like the first; the rest belongs to the first one's pool.
_OPTIONS = frozenset(
    "host port path db username password credential_provider encoding encoding_errors decode_responses protocol "
    "client_name socket_timeout socket_connect_timeout socket_keepalive health_check_interval".split()
)


class RedisScheduler(DurableScheduler):
    """Keeps timers in Redis, for any number of processes; who takes one holds it for a lease.

    `redis` is a client of the library redis, asynchronous or not, with `decode_responses` on or off. Records of what
    has ended expire after an hour. An event whose timer the entity's store knows too, as all that states arm, comes
    once; others come again if a process dies between the event and its end here. In a cluster the prefix needs a hash
    tag.
    """

    def __init__(
        self,
        redis: Any,
        key_prefix: str = "spikard:fsm:scheduler:",
        poll_interval_ms: int = 100,
        *,
        runtime: Any = None,
        lease_seconds: float = 60.0,
        concurrency: int = 50,
        max_attempts: int = 5,
        timers: RestorePolicy = "resume",
        finished_ttl_seconds: float = FINISHED_KEPT_SECONDS,
    ) -> None:
        super().__init__(
            runtime=runtime, poll_interval_ms=poll_interval_ms, lease_seconds=lease_seconds, concurrency=concurrency,
            max_attempts=max_attempts, timers=timers,
        )  # fmt: skip
        self._redis = redis
        self._prefix = key_prefix
        self._kept_seconds = max(1, round(finished_ttl_seconds))
        self._is_async = asyncio.iscoroutinefunction(getattr(redis, "execute_command", None))
        # An asynchronous client is used in the loop that it was given in, or that fires; elsewhere there are others.
        self._client_loop = _loop()
        self._elsewhere = BackgroundLoop()
        self._other: Any = None

    async def start(self) -> None:
        """Begin to fire in this loop."""
        self._client_loop = self._client_loop or asyncio.get_running_loop()
        await super().start()

    async def close(self) -> None:
        """Fire no more here. The client stays open; it is not the scheduler's own."""
        await super().close()
        if self._elsewhere.is_running:
            await asyncio.wrap_future(self._elsewhere.submit(self._close_other()))
            self._elsewhere.close()

    async def cancel(self, task_id: str) -> bool:
        """Do not fire it; whether it was still waiting."""
        self._callbacks.pop(task_id, None)
        found = await self._task(task_id)
        return found is not None and await self._end_task(task_id, found["entity_id"], "", TaskStatus.CANCELLED)

    async def cancel_for_entity(self, entity_id: str) -> int:
        """Fire nothing for an entity; how many waited."""
        ids = [_text(name) for name in await self._command("SMEMBERS", self._of_entity(entity_id))]
        ended = [await self._end_task(task_id, entity_id, "", TaskStatus.CANCELLED) for task_id in ids]
        return sum(ended)

    async def get_task(self, task_id: str) -> ScheduledTask | None:
        """A task that waits, runs, or has ended not too long ago."""
        found = await self._task(task_id)
        return None if found is None else _scheduled(found)

    async def get_pending_tasks(self, entity_id: str | None = None) -> list[ScheduledTask]:
        """Those that wait, of one entity or of all, the earliest first."""
        if entity_id is None:
            queues = await self._queues(None)
            ids = [name for queue in queues for name in await self._command("ZRANGE", queue, 0, -1)]
        else:
            ids = list(await self._command("SMEMBERS", self._of_entity(entity_id)))
        found = [await self.get_task(_text(name)) for name in ids]
        waiting = [task for task in found if task is not None and task.is_pending]
        return sorted(waiting, key=lambda task: (task.fires_at or task.scheduled_at, task.task_id))

    # What a store of timers has to do

    async def _keep(self, task: ScheduledTask, machine: str | None, key: str | None, owner: str | None) -> None:
        assert task.fires_at is not None  # noqa: S101 - `schedule` has set it
        about = {name: value for name, value in task.metadata.items() if name != "payload"}
        fields = {
            "task_id": task.task_id, "entity_id": task.entity_id, "event": task.event, "machine": machine or "",
            "key": key or "", "delay_ms": task.delay_ms, "scheduled_at": task.scheduled_at.isoformat(),
            "fires_at": task.fires_at.isoformat(), "payload": _encoded(task.metadata.get("payload") or {}),
            "metadata": _encoded(about), "attempt": 0, "status": "pending",
        }  # fmt: skip
        queue = self._queue(owner, machine)
        keys = (self._key(task.task_id), queue, self._of_entity(task.entity_id), self._prefix + "machines")
        served = "" if owner is not None or machine is None else machine
        flat = [part for pair in fields.items() for part in pair]
        await self._script(scripts.KEEP, keys, _ms(task.fires_at), served, self._key(""), *flat)

    async def _claim(self, limit: int) -> list[DueTimer]:
        queues = await self._queues(self.machines)
        lease = round(self._lease_seconds * 1000)
        rows = await self._script(scripts.CLAIM, queues, limit, lease, self._key(""))
        return [_due(_fields(row)) for row in rows]

    async def _extend(self, timer: DueTimer) -> None:
        await self._defer(timer, self._lease_seconds, "running", "")

    async def _postpone(self, timer: DueTimer, seconds: float, error: str) -> None:
        await self._defer(timer, seconds, "pending", error)

    async def _release(self, timer: DueTimer) -> None:
        await self._defer(timer, 0, "pending", "")

    async def _finish(self, timer: DueTimer, status: TaskStatus, error: str | None) -> None:
        await self._end_task(timer.task_id, timer.entity_id, str(timer.fence), status, error or "")

    async def _next_due(self) -> datetime | None:
        found = []
        for queue in await self._queues(self.machines):
            found += await self._command("ZRANGE", queue, 0, 0, "WITHSCORES")
        scores = [part[1] if isinstance(part, (list, tuple)) else part for part in found]
        moments = [float(_text(score)) for score in scores if _is_number(score)]
        return datetime.fromtimestamp(min(moments) / 1000, UTC) if moments else None

    async def _restore(self) -> None:
        now = self._clock.now()
        if self._policy == "resume":
            return
        seen = await self._seen(now)
        if seen is None or (now - seen).total_seconds() <= self._poll_seconds * LOOKS_MISSED:
            return
        for task in await self.get_pending_tasks():
            assert task.fires_at is not None  # noqa: S101 - every record has it
            moment = restored(self._policy, task.fires_at, task.delay_ms, seen, now)
            arguments = task.task_id, _ms(moment), moment.isoformat()
            await self._script(scripts.MOVE, (self._key(task.task_id),), *arguments)

    async def _look_after(self) -> None:
        if self._policy != "resume":
            await self._seen(self._clock.now())

    async def _seen(self, now: datetime) -> datetime | None:
        text = await self._script(scripts.SEEN, (self._prefix + "last_seen",), now.isoformat())
        return datetime.fromisoformat(_text(text)) if text else None

    async def _defer(self, timer: DueTimer, seconds: float, status: str, error: str) -> None:
        milliseconds = max(0, round(seconds * 1000))
        arguments = timer.task_id, timer.fence, milliseconds, status, error
        await self._script(scripts.DEFER, (self._key(timer.task_id),), *arguments)

    async def _end_task(self, task_id: str, entity_id: str, fence: str, status: TaskStatus, error: str = "") -> bool:
        fired_at = "" if status is TaskStatus.CANCELLED else self._clock.now().isoformat()
        keys = self._key(task_id), self._of_entity(entity_id)
        arguments = task_id, fence, status.value, fired_at, error, self._kept_seconds
        return bool(await self._script(scripts.END, keys, *arguments))

    async def _task(self, task_id: str) -> Fields | None:
        return _fields(await self._command("HGETALL", self._key(task_id))) or None

    async def _queues(self, machines: list[str] | None) -> list[str]:
        if machines is None:
            machines = sorted(_text(name) for name in await self._command("SMEMBERS", self._prefix + "machines"))
        return [self._queue(None, name) for name in machines] + [self._queue(self.instance, None)]

    def _queue(self, owner: str | None, machine: str | None) -> str:
        return f"{self._prefix}due:machine:{machine}" if owner is None else f"{self._prefix}due:process:{owner}"

    def _key(self, task_id: str) -> str:
        return f"{self._prefix}task:{task_id}"

    def _of_entity(self, entity_id: str) -> str:
        return f"{self._prefix}entity:{entity_id}"

    # The connection

    async def _script(self, script: str, keys: Any, *arguments: Any) -> Any:
        return await self._command("EVAL", script, len(keys), *keys, *arguments)

    async def _command(self, *command: Any) -> Any:
        if not self._is_async:
            return await asyncio.to_thread(self._redis.execute_command, *command)
        if self._client_loop is asyncio.get_running_loop():
            return await self._redis.execute_command(*command)
        return await asyncio.wrap_future(self._elsewhere.submit(self._over_other(command)))

    async def _over_other(self, command: tuple[Any, ...]) -> Any:
        if self._other is None:
            pool = self._redis.connection_pool
            options = {
                name: value
                for name, value in pool.connection_kwargs.items()
                if name in _OPTIONS or name.startswith("ssl_")
            }
            made = type(pool)(connection_class=pool.connection_class, **options)
            self._other = type(self._redis)(connection_pool=made)
        return await self._other.execute_command(*command)

    async def _close_other(self) -> None:
        other, self._other = self._other, None
        if other is not None:
            await other.aclose(close_connection_pool=True)


def _loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _due(fields: Fields) -> DueTimer:
    metadata = _decoded(fields["metadata"])
    return DueTimer(
        fields["task_id"], fields["machine"] or None, fields["entity_id"], fields["event"],
        fields["key"] or f"#{fields['task_id']}", datetime.fromisoformat(fields["fires_at"]), entered(metadata),
        _decoded(fields["payload"]), int(fields["attempt"]), int(fields["fence"]), int(fields["delay_ms"]), metadata,
    )  # fmt: skip


def _scheduled(fields: Fields) -> ScheduledTask:
    fired_at = fields.get("fired_at")
    payload = _decoded(fields["payload"])
    metadata = {**_decoded(fields["metadata"]), **({"payload": payload} if payload else {})}
    return ScheduledTask(
        fields["task_id"], fields["entity_id"], fields["event"], int(fields["delay_ms"]),
        TaskStatus(fields["status"]), datetime.fromisoformat(fields["scheduled_at"]),
        datetime.fromisoformat(fields["fires_at"]), datetime.fromisoformat(fired_at) if fired_at else None, metadata,
    )  # fmt: skip


def _fields(row: Any) -> Fields:
    """A hash as texts, from a mapping or a list, with or without `decode_responses`."""
    pairs = row.items() if isinstance(row, Mapping) else zip(row[::2], row[1::2], strict=True)
    return {_text(name): _text(value) for name, value in pairs}


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _is_number(value: Any) -> bool:
    try:
        float(_text(value))
    except ValueError:
        return False
    return True


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)


def _encoded(value: Any) -> str:
    return msgspec.json.encode(value, enc_hook=str).decode()


def _decoded(text: str) -> dict[str, Any]:
    return msgspec.json.decode(text, type=dict[str, Any])
