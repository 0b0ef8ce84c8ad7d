"""Any store as one that keeps whole steps."""

import asyncio
import logging
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from spikard.fsm.offer import is_overridden, offered
from spikard.fsm.stores.row import EntityChange, EntityRow

logger = logging.getLogger("spikard.fsm.orchestrator")

BLOCKING = ("get_state", "set_state", "get_context")
AWAITED = ("aget_state", "aset_state", "aget_context")
WHOLE = ("load", "commit", "aload", "acommit", "capabilities")
VERSIONED = ("get_state_versioned", "set_state_versioned")
# What a step as a whole takes the place of.
PARTS = (*BLOCKING, *AWAITED, "set_context", "aset_context", *VERSIONED)


class StoreAccess:
    """A store with `load` and `commit`, whichever methods it has.

    A store without versions or transactions runs the same steps without their guarantees; `capabilities` says so. So
    does one whose methods for parts of a step are newer than those for a whole one, as in a class made of one of ours
    to watch or to fail: they are called.
    """

    def __init__(self, store: Any) -> None:
        self.store = store
        is_able = all(offered(store, name) is not None for name in WHOLE)
        # A double made after the pattern of a store has all its methods, but no set of capabilities.
        is_able = is_able and isinstance(store.capabilities, AbstractSet)
        self.is_whole = is_able and not is_overridden(store, PARTS, "commit")
        if is_able and not self.is_whole and "durable" in store.capabilities:
            # Nobody should find out by a crash.
            logger.warning(
                "%s overrides methods for parts of a step: they are called, and steps have neither a transaction nor "
                "an outbox. Override load, commit, aload and acommit to keep both",
                type(store).__name__,
            )
        self.has_sync = self.is_whole or all(hasattr(store, name) for name in BLOCKING)
        self.has_async = self.is_whole or all(hasattr(store, name) for name in AWAITED)
        is_versioned = all(offered(store, name) is not None for name in VERSIONED)
        self.is_versioned = is_versioned and not is_overridden(store, BLOCKING, "set_state_versioned")

    @property
    def capabilities(self) -> frozenset[str]:
        """What may be relied on."""
        if self.is_whole:
            found: frozenset[str] = self.store.capabilities
            return found
        return frozenset({"versions"} if self.is_versioned else ())

    def load(self, entity_id: str) -> EntityRow:
        """All that is kept of an entity."""
        if self.is_whole:
            row: EntityRow = self.store.load(entity_id)
            return row
        state, version = self._state(entity_id)
        context = self.store.get_context(entity_id) or {}
        return EntityRow(entity_id, state, version or 0, dict(context))

    def _state(self, entity_id: str) -> tuple[str | None, int | None]:
        if self.is_versioned:
            answer = self.store.get_state_versioned(entity_id)
            if isinstance(answer, Sequence):
                found, version = answer
                return found, version
            # Such a double again: it does not answer with versions.
            self.is_versioned = False
        return self.store.get_state(entity_id), None

    def commit(self, change: EntityChange) -> int:
        """Keep a change."""
        if self.is_whole:
            version: int = self.store.commit(change)
            return version
        context = self._context(change, self.store.get_context) if change.patch is not None else change.context
        version = change.expected_version or 0
        if change.state is not None:
            metadata = {**change.metadata, "context": context} if context is not None else dict(change.metadata)
            if self.is_versioned:
                # A new entity has no version to expect.
                expected = change.expected_version or None
                arguments = {"expected_version": expected, "metadata": metadata}
                version = self.store.set_state_versioned(change.entity_id, change.state, **arguments)
            else:
                self.store.set_state(change.entity_id, change.state, metadata=metadata)
        if context is not None and hasattr(self.store, "set_context"):
            self.store.set_context(change.entity_id, context)
        return version

    async def aload(self, entity_id: str) -> EntityRow:
        """`load`, awaited; a store that cannot be awaited is asked in a thread."""
        if self.is_whole:
            row: EntityRow = await self.store.aload(entity_id)
            return row
        if not self.has_async:
            return await asyncio.to_thread(self.load, entity_id)
        state = await self.store.aget_state(entity_id)
        return EntityRow(entity_id, state, 0, dict(await self.store.aget_context(entity_id) or {}))

    async def acommit(self, change: EntityChange) -> int:
        """`commit`, awaited; a store that cannot be awaited is asked in a thread."""
        if self.is_whole:
            version: int = await self.store.acommit(change)
            return version
        if not self.has_async:
            return await asyncio.to_thread(self.commit, change)
        context = change.context
        if change.patch is not None:
            present = await self.store.aget_context(change.entity_id) or {}
            context = self._context(change, lambda _: present)
        if change.state is not None:
            metadata = {**change.metadata, "context": context} if context is not None else dict(change.metadata)
            await self.store.aset_state(change.entity_id, change.state, metadata=metadata)
        if context is not None and hasattr(self.store, "aset_context"):
            await self.store.aset_context(change.entity_id, context)
        return change.expected_version or 0

    # What only stores can do that say so in their capabilities

    def try_hold(self, entity_id: str, holder: str, seconds: float) -> bool:
        """Keep everybody else from an entity for a while; False while somebody else does."""
        return bool(self.store.try_hold(entity_id, holder, seconds))

    def release(self, entity_id: str, holder: str) -> None:
        """Let others have the entity."""
        self.store.release(entity_id, holder)

    def answer(self, key: str) -> Any:
        """What was answered to an event, or None."""
        return self.store.answer(key)

    async def atry_hold(self, entity_id: str, holder: str, seconds: float) -> bool:
        """`try_hold`, awaited."""
        return bool(await self._asked(self.store.try_hold, entity_id, holder, seconds))

    async def arelease(self, entity_id: str, holder: str) -> None:
        """`release`, awaited."""
        await self._asked(self.store.release, entity_id, holder)

    async def aanswer(self, key: str) -> Any:
        """`answer`, awaited."""
        return await self._asked(self.store.answer, key)

    async def _asked(self, method: Any, *arguments: Any) -> Any:
        # What is durable is somewhere else, and may take a while to answer.
        if "durable" in self.capabilities:
            return await asyncio.to_thread(method, *arguments)
        return method(*arguments)

    def _context(self, change: EntityChange, read: Any) -> dict[str, Any]:
        present = {**(read(change.entity_id) or {}), **(change.patch or {})}
        return {key: value for key, value in present.items() if key not in change.removed}
