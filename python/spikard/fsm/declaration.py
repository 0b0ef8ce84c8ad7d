"""Machines written as classes.

class Order(Machine):
    pending = state(initial=True)
    open = state(timeout=(30, "expired"))
    filled = state(final=True)
    expired = state(final=True)

    ack = pending.to(open)

    @transition(open, filled, guards=["fill_qty >= order_qty"])
    def fill(self, ctx, *, fill_qty): ...
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from spikard.fsm.entity_session import EntitySession
from spikard.fsm.errors import ConfigurationError
from spikard.fsm.state_machine import StateMachine


class StateDeclaration:
    """A state of a class; its name is the attribute's."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = dict(values)
        self.name = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def to(self, dest: "StateDeclaration", **values: Any) -> "TransitionDeclaration":
        """A transition to another state; its trigger is the attribute's name."""
        return TransitionDeclaration((self,), dest, values)


class TransitionDeclaration:
    """A transition of a class, with what is done on the way."""

    def __init__(self, sources: Sequence[StateDeclaration], dest: StateDeclaration, values: Mapping[str, Any]) -> None:
        self.sources = tuple(sources)
        self.dest = dest
        self.values = dict(values)
        self.trigger = ""
        self.function: Callable[..., Any] | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        self.trigger = name

    def __call__(self, function: Callable[..., Any]) -> "TransitionDeclaration":
        self.function = function
        return self


def state(
    *,
    initial: bool = False,
    final: bool = False,
    timeout: tuple[float, str] | None = None,
    **values: Any,
) -> StateDeclaration:
    """Declares a state; further values are those of definitions."""
    if initial:
        values["type"] = "initial"
    elif final:
        values["type"] = "terminal"
    if timeout is not None:
        values["timeout"] = {"seconds": timeout[0], "destination": timeout[1]}
    return StateDeclaration(values)


def transition(
    source: StateDeclaration | Sequence[StateDeclaration],
    dest: StateDeclaration,
    *,
    guards: Sequence[Any] = (),
    **values: Any,
) -> TransitionDeclaration:
    """Declares a transition that does what the decorated method does. Texts among the guards are expressions."""
    sources = (source,) if isinstance(source, StateDeclaration) else tuple(source)
    written = [_guard(guard) for guard in guards]
    return TransitionDeclaration(sources, dest, {**values, "guards": written} if written else values)


class Machine:
    """The base of machines written as classes; `definition` is the same machine as plain data."""

    definition: ClassVar[dict[str, Any]]
    machine: ClassVar[StateMachine]

    def __init_subclass__(cls, name: str | None = None, **options: Any) -> None:
        super().__init_subclass__(**options)
        declared = [value for value in vars(cls).values() if isinstance(value, StateDeclaration)]
        if not declared:
            return
        transitions = [value for value in vars(cls).values() if isinstance(value, TransitionDeclaration)]
        cls.definition = {
            "meta": {"machine_name": name or cls.__name__.lower()},
            "states": [{"name": one.name, **one.values} for one in declared],
            "transitions": [_written(one) for one in transitions],
        }
        cls.machine = StateMachine.from_dict(cls.definition)
        for one in transitions:
            if one.function is not None:
                cls.machine.action_registry.register(one.trigger, _action(cls, one.function))

    @classmethod
    def create(cls, **options: Any) -> EntitySession:
        """A session of one entity, which does what the methods say."""
        return cls.machine.create(**{"execute_actions": True, **options})


def _guard(guard: Any) -> Any:
    return {"expr": guard} if isinstance(guard, str) and not guard.isidentifier() else guard


def _written(one: TransitionDeclaration) -> dict[str, Any]:
    if not all(source.name for source in (*one.sources, one.dest)):
        raise ConfigurationError(f"The transition '{one.trigger}' names a state that is no attribute of the class")
    names = [source.name for source in one.sources]
    actions = {"actions": [one.trigger]} if one.function is not None else {}
    return {"trigger": one.trigger, "source": names, "dest": one.dest.name, **actions, **one.values}


def _action(cls: type[Machine], function: Callable[..., Any]) -> Callable[[dict[str, Any]], Any]:
    wanted = [
        name
        for name, parameter in inspect.signature(function).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    owner = cls()
    if inspect.iscoroutinefunction(function):

        async def later(context: dict[str, Any]) -> Any:
            return await function(owner, context, **{name: context[name] for name in wanted if name in context})

        return later

    def act(context: dict[str, Any]) -> Any:
        return function(owner, context, **{name: context[name] for name in wanted if name in context})

    return act
