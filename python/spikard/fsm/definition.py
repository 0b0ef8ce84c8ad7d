"""Reading machines as they are written: from plain data to states and transitions."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from spikard.fsm.action_spec import ActionSpec
from spikard.fsm.errors import ConfigurationError, ErrorPolicy, MissingKeyError
from spikard.fsm.front import front
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.invoke_spec import InvokeSpec
from spikard.fsm.region import Region
from spikard.fsm.state import State
from spikard.fsm.state_type import StateType
from spikard.fsm.timeout import LONGEST, Timeout
from spikard.fsm.transition import Transition
from spikard.fsm.when_check import WhenCheck

Item = TypeVar("Item")

_STATE_KEYS = frozenset(
    "name type description group parent initial_child regions on_enter on_exit invoke timeout entry_points exit_points "
    "submachine when metadata".split()
)
_TRANSITION_KEYS = frozenset(
    "trigger source dest region guards actions after internal auto priority description ref refs metadata".split()
)
_COMMON_OF_STATE = frozenset("name type description parent initial_child on_enter on_exit".split())
_COMMON_OF_TRANSITION = frozenset("trigger source dest guards actions".split())
_TYPES: dict[Any, StateType] = {kind.value: kind for kind in StateType}
COPIED = ("groups", "state_variables", "context_invariants", "events", "migrations")
MOST_PRIORITY = 2**31 - 1
_TRUE = frozenset({"true", "1", "yes", "on"})
_FALSE = frozenset({"false", "0", "no", "off", ""})


def read_definition(config: Mapping[str, Any]) -> tuple[dict[str, State], list[Transition], dict[str, Any]]:
    """The states by name, the transitions and the metadata of a machine."""
    try:
        states = [_state(item) for item in config.get("states") or ()]
        if not states:
            raise ValueError("At least one state is required")
        by_name = {state.name: state for state in states}
        resting = frozenset(state.name for state in states if state.type is not StateType.TERMINAL)
        transitions = [_transition(item, by_name, resting) for item in config.get("transitions") or ()]
    except KeyError as error:
        raise MissingKeyError(f"The key {error} is missing", context={"config": config}) from error
    except ValueError as error:
        raise ConfigurationError(str(error), context={"config": config}) from error
    except (AttributeError, TypeError, RecursionError, OverflowError) as error:
        raise _explained(config, error) from error
    return by_name, transitions, _meta(config)


def require_form(config: Any) -> None:
    """Refuses what is no machine at first sight; the rest shows when it is read."""
    if type(config) is not dict and not isinstance(config, Mapping):
        raise ConfigurationError(f"A machine is a mapping with 'states' and 'transitions', not {type(config).__name__}")
    for key in ("meta", "error_policy"):
        given = config.get(key)
        # Asking whether a dict is a mapping takes longer than all the rest.
        if given and type(given) is not dict and not isinstance(given, Mapping):
            raise ConfigurationError(f"'{key}' is a mapping, not {type(config[key]).__name__}")
    for key in ("states", "transitions"):
        if not isinstance(config.get(key) or (), (list, tuple)):
            raise ConfigurationError(f"'{key}' is a list, not {type(config[key]).__name__}")


def _explained(config: Mapping[str, Any], error: Exception) -> ConfigurationError:
    """What a reader stumbled over, in the words of the validator."""
    faults = []
    if not isinstance(error, RecursionError):
        faults = front().validate_config(dict(config), strict=False)
    if not faults:
        text = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        return ConfigurationError(f"The machine cannot be read: {text}")
    return ConfigurationError(faults[0], context={"errors": faults})


def read_error_policy(config: Mapping[str, Any], meta: Mapping[str, Any]) -> ErrorPolicy:
    """What the machine does with events that do not fit."""
    given = dict(config.get("error_policy") or {})
    return ErrorPolicy(
        default_fallback=given.pop("default_fallback", None),
        retry_attempts=whole(given.pop("retry_attempts", None) or 0, "error_policy.retry_attempts", 0, 2**31),
        strict_mode=is_on(meta.get("strict_mode"), True),
        reject_invalid_events=_optional(meta.get("reject_invalid_events")),
        strict_guard_registry=_optional(meta.get("strict_guard_registry")),
        metadata=given,
    )


def is_on(value: Any, default: bool) -> bool:
    """What a switch says, in any of the ways to write it."""
    if isinstance(value, str):
        text = value.strip().lower()
        return True if text in _TRUE else False if text in _FALSE else default
    return default if value is None else bool(value)


def whole(value: Any, name: str, least: int, most: int) -> int:
    """A whole number between bounds, or ConfigurationError that names it."""
    try:
        number = int(value)
    except (TypeError, ValueError, OverflowError):
        raise ConfigurationError(f"'{name}' is a whole number, not {value!r}") from None
    if not least <= number <= most:
        raise ConfigurationError(f"'{name}' is a whole number from {least} to {most}, not {_short(number)}")
    return number


def _short(number: int) -> str:
    # A number may have more digits than Python turns into text.
    return str(number) if abs(number) < 10**20 else "one of more than 20 digits"


def items_of(value: Any) -> Iterable[Any]:
    """One item or a list of them, as a list."""
    if value is None:
        return ()
    return value if isinstance(value, (list, tuple)) else (value,)


def _optional(value: Any) -> bool | None:
    return None if value is None else is_on(value, True)


def _meta(config: Mapping[str, Any]) -> dict[str, Any]:
    given = config.get("meta")
    meta: dict[str, Any] = {}
    if given:
        meta = {"strict_mode": True, "validate_context": False}
        meta.update((key, value) for key, value in given.items() if value is not None)
        if "version" in meta:
            meta["version"] = str(meta["version"])
        for key, kind, text in (("event_normalizer", str, "a text"), ("classification", Mapping, "a mapping")):
            if key in meta and not isinstance(meta[key], kind):
                raise ConfigurationError(f"'meta.{key}' is {text}, not {meta[key]!r}")
    for key in COPIED:
        if config.get(key):
            meta[key] = config[key]
    if "state_variables" in meta:
        meta["state_variables"] = [{"key": item} if isinstance(item, str) else item for item in meta["state_variables"]]
    return meta


def _state(item: Mapping[str, Any]) -> State:
    get = item.get
    # Most states have nothing else: nothing is looked for that is not there.
    if _COMMON_OF_STATE.issuperset(item):
        kind = get("type", "stable")
        return State(
            item["name"],
            _TYPES.get(kind) or StateType(kind),
            get("description") or "",
            get("parent"),
            get("initial_child"),
            (),
            _actions(get("on_enter")),
            _actions(get("on_exit")),
        )
    kind, timeout, metadata = get("type", "stable"), get("timeout"), get("metadata") or {}
    if not _STATE_KEYS.issuperset(item):
        metadata = {**metadata, **{key: item[key] for key in item if key not in _STATE_KEYS}}
    return State(
        item["name"],
        _TYPES.get(kind) or StateType(kind),
        get("description") or "",
        get("parent"),
        get("initial_child"),
        tuple([_region(region) for region in regions]) if (regions := get("regions")) else (),
        _actions(get("on_enter")),
        _actions(get("on_exit")),
        _each(_invoke, get("invoke")),
        Timeout(float(timeout["seconds"]), timeout["destination"]) if timeout else None,
        get("group"),
        tuple(get("entry_points") or ()),
        tuple(get("exit_points") or ()),
        metadata,
        _each(WhenCheck.from_config, get("when")),
    )


def _each(read: Callable[[Any], Item], value: Any) -> tuple[Item, ...]:
    # Most things have none of most: nothing is what is read quickest.
    return () if value is None else tuple([read(item) for item in items_of(value)])


def _invoke(item: Mapping[str, Any]) -> InvokeSpec:
    return InvokeSpec(item["id"], item["src"], item.get("on_done"), item.get("on_error"))


def _region(item: Mapping[str, Any]) -> Region:
    return Region(
        item["name"],
        item["initial"],
        tuple(item.get("states") or ()),
        item.get("description") or "",
        item.get("final"),
    )


def _actions(value: Any) -> tuple[ActionSpec, ...]:
    return () if value is None else tuple([_action(item) for item in items_of(value)])


def _action(item: Any) -> ActionSpec:
    return ActionSpec(item) if type(item) is str else ActionSpec.from_config(item)


def _transition(item: Mapping[str, Any], states: Mapping[str, State], resting: frozenset[str]) -> Transition:
    get = item.get
    source, dest = _source(item["source"], states, resting), item["dest"]
    if ":" in dest:
        dest = _point(dest, states, "entry_points")
    if _COMMON_OF_TRANSITION.issuperset(item) and (trigger := get("trigger")):
        return Transition(
            trigger, source, dest, None, _each(GuardSpec.from_config, get("guards")), _actions(get("actions"))
        )
    after, auto, priority, metadata = get("after"), bool(get("auto")), get("priority"), get("metadata") or {}
    is_computed = isinstance(after, Mapping)
    delay = None if after is None or is_computed else _milliseconds(after)
    if is_computed:
        metadata = {**metadata, "after": after}
    if not _TRANSITION_KEYS.issuperset(item):
        metadata = {**metadata, **{key: item[key] for key in item if key not in _TRANSITION_KEYS}}
    return Transition(
        get("trigger") or _generated(item["source"], source, delay, auto, metadata),
        source,
        dest,
        get("region"),
        _each(GuardSpec.from_config, get("guards")),
        _actions(get("actions")),
        delay,
        bool(get("internal")),
        auto,
        None if priority is None else whole(priority, "priority", -MOST_PRIORITY, MOST_PRIORITY),
        get("description") or "",
        (*((ref,) if (ref := get("ref")) else ()), *(get("refs") or ())),
        metadata,
    )


def _source(written: Any, states: Mapping[str, State], resting: frozenset[str]) -> frozenset[str]:
    if type(written) is str and written != "*" and ":" not in written:
        return frozenset((written,))
    if not isinstance(written, (str, list, tuple, set, frozenset)):
        raise ValueError(f"A transition's 'source' is the name of a state or a list of names, not {written!r}")
    source = frozenset((written,) if isinstance(written, str) else written)
    # Only alone it means all: beside others it is the name of a state that there is none of.
    if source == {"*"}:
        return resting
    if ":" in "".join(source):
        return frozenset(_point(name, states, "exit_points") for name in source)
    return source


def _generated(written: Any, source: frozenset[str], delay: int | None, auto: bool, metadata: Mapping[str, Any]) -> str:
    moment = "at" if metadata.get("at") else "after" if metadata.get("after") else None
    if not auto and delay is None and moment is None:
        raise ValueError("Transition must have either 'trigger', 'after', or 'auto: true'")
    # All states that rest are one source, as it is written.
    names = {"*"} if written in ("*", ["*"]) else source
    if len(names) != 1:
        kind = "Delayed" if delay is not None else "Auto"
        raise ValueError(f"{kind} transition with implicit trigger must have exactly one source")
    name = next(iter(names))
    if delay is not None:
        return f"_after_{name}_{delay}_ms"
    return f"_auto_{name}" if auto else f"_{moment}_{name}"


def _milliseconds(after: Any) -> int:
    delay = after if isinstance(after, int) else int(front().parse_delay(after))
    if delay > LONGEST * 1000:
        raise ValueError(f"A delay of more than {LONGEST} seconds, which is a thousand years")
    return delay


def _point(name: str, states: Mapping[str, State], kind: str) -> str:
    """The state that `parent:point` means, where the parent declares the point."""
    parent, _, point = name.partition(":")
    state = states.get(parent)
    if state is None or point not in getattr(state, kind):
        return name
    return point if point in states else f"{parent}.{point}"
