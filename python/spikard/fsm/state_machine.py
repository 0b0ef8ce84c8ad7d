"""Machines: what an event does, computed."""

import hashlib
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

from spikard._spikard import CompiledMachine, TransitionResult, canonical_json
from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.callbacks import Callbacks
from spikard.fsm.context_contract import validate_context
from spikard.fsm.definition import COPIED, is_on, read_definition, read_error_policy, require_form, whole
from spikard.fsm.destination_candidate import DestinationCandidate
from spikard.fsm.destination_check_result import DestinationCheckResult
from spikard.fsm.entity_session import EntitySession
from spikard.fsm.errors import ErrorPolicy, FSMError, UndefinedStateError
from spikard.fsm.event import Event
from spikard.fsm.front import front
from spikard.fsm.guard_answers import AsyncAnswers
from spikard.fsm.guard_registry import GuardRegistry
from spikard.fsm.guard_spec import GuardSpec
from spikard.fsm.parallel_state_config import ParallelStateConfig
from spikard.fsm.parallel_state_manager import ParallelStateManager
from spikard.fsm.registries import named, new_registries
from spikard.fsm.state import State
from spikard.fsm.state_hierarchy import StateHierarchy
from spikard.fsm.transition import Transition
from spikard.fsm.when_check import WhenCheck

Function = TypeVar("Function", bound=Callable[..., Any])
Context = Mapping[str, Any] | None


class StateMachine(CompiledMachine):
    """States and transitions, compiled. It computes plans and carries out none; threads and entities may share it."""

    def __init__(
        self,
        states: dict[str, State],
        transitions: list[Transition],
        meta: dict[str, Any] | None = None,
        error_policy: ErrorPolicy | None = None,
        *,
        builtins: bool = True,
    ) -> None:
        self._states = states
        self._transitions = list(transitions)
        self._meta = {} if meta is None else meta
        self.error_policy = read_error_policy({}, self._meta) if error_policy is None else error_policy
        self._memory: dict[str, str] = {}
        self._fingerprint: str | None = None
        classification = self._meta.get("classification") or {}
        auto_route = is_on(classification.get("auto_route"), False)
        self._compile(
            states,
            self._transitions,
            normalizer=self._meta.get("event_normalizer"),
            rejects=self.error_policy.reject_invalid_events_effective(),
            auto_route=auto_route,
            reenter=self._meta.get("self_transition") == "reenter",
        )
        strict = self.error_policy.strict_guard_registry_effective()
        self._guards, self._actions = new_registries(strict, builtins)
        self._callbacks = Callbacks()
        self._auto_depth = whole(self._meta.get("auto_depth") or 20, "meta.auto_depth", 1, 1000)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> Self:
        """A machine from plain data, as YAML or JSON gives it."""
        require_form(config)
        if (config.get("meta") or {}).get("semantics") == "scxml":
            chart: Self = front().Statechart.from_dict(config)
            return chart
        if any(_holds_submachine(item) for item in config.get("states") or ()):
            config = front().resolve_submachines(dict(config))
        states, transitions, meta = read_definition(config)
        return cls(states, transitions, meta, read_error_policy(config, meta))

    @classmethod
    def from_yaml(cls, path: str | Path, validate: bool = True, variables: dict[str, str] | None = None) -> Self:
        """A machine from a file, YAML or JSON."""
        return cls.from_dict(front().load_config(path, validate=validate, variables=variables))

    @classmethod
    def from_file(cls, path: str | Path, validate: bool = True, variables: dict[str, str] | None = None) -> Self:
        """A machine from a file: YAML, JSON or SCXML."""
        if str(path).lower().endswith((".scxml", ".xml")):
            chart: Self = front().Statechart.from_scxml_file(path)
            return chart
        return cls.from_yaml(path, validate, variables)

    @classmethod
    def from_scxml(cls, text: str, *, strict: bool = False) -> Self:
        """A machine that runs by SCXML's algorithm; with `strict`, expressions that cannot be compiled are faults."""
        chart: Self = front().Statechart.from_scxml(text, strict=strict)
        return chart

    @classmethod
    def from_json(cls, path: str | Path, validate: bool = True, variables: dict[str, str] | None = None) -> Self:
        """A machine from a JSON file."""
        return cls.from_yaml(path, validate, variables)

    @classmethod
    def validate_config(cls, config: dict[str, Any]) -> list[str]:
        """What is wrong with a definition, as texts."""
        return list(front().validate_config(config, strict=False))

    def __repr__(self) -> str:
        return f"StateMachine(name={self.name!r}, states={len(self._states)}, transitions={len(self._transitions)})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._states, self._transitions, self._meta, self.error_policy)

    @property
    def name(self) -> str:
        """The name in its metadata."""
        name = self._meta.get("machine_name")
        return "unnamed" if name is None else str(name)

    @property
    def version(self) -> str:
        """The version in its metadata."""
        return str(self._meta.get("version") or "0.0.0")

    @property
    def strict_mode(self) -> bool:
        """Whether events that do not fit, and guards that are not there, are errors."""
        return self.error_policy.strict_mode

    @property
    def states(self) -> Mapping[str, State]:
        """The states by name; to look at only."""
        return MappingProxyType(self._states)

    @property
    def transitions(self) -> list[Transition]:
        """The transitions, in their order."""
        return self._transitions.copy()

    @property
    def state_names(self) -> list[str]:
        """The names of all states."""
        return list(self._states)

    @property
    def trigger_names(self) -> list[str]:
        """All triggers, sorted."""
        return sorted(self._triggers)

    @cached_property
    def _triggers(self) -> frozenset[str]:
        return frozenset(transition.trigger for transition in self._transitions)

    @property
    def terminal_states(self) -> list[str]:
        """The states that are never left."""
        return [name for name, state in self._states.items() if state.is_terminal]

    @property
    def parallel_states(self) -> list[str]:
        """The states with regions."""
        return [name for name, state in self._states.items() if state.is_parallel]

    @property
    def meta(self) -> dict[str, Any]:
        """A copy of its metadata: machines do not change."""
        return dict(self._meta)

    @property
    def guard_registry(self) -> GuardRegistry:
        """The guards that it asks."""
        return self._guards

    @property
    def action_registry(self) -> ActionRegistry:
        """The actions that sessions carry out."""
        return self._actions

    @property
    def hierarchy(self) -> StateHierarchy:
        """Which state is inside which."""
        return StateHierarchy(self._states)

    @property
    def parallel(self) -> ParallelStateManager:
        """Its parallel states."""
        return ParallelStateManager(self._states)

    @property
    def fingerprint(self) -> str:
        """What tells this definition from any other: the SHA-256 of its canonical JSON, as RFC 8785 has it."""
        if self._fingerprint is None:
            # How entities of older versions come here is nothing that this version does.
            config = {key: value for key, value in self.to_dict().items() if key != "migrations"}
            self._fingerprint = hashlib.sha256(canonical_json(config).encode()).hexdigest()
        return self._fingerprint

    def to_dict(self) -> dict[str, Any]:
        """The definition as plain data, from which `from_dict` makes an equal machine."""
        copied = set(COPIED)
        config: dict[str, Any] = {"meta": {key: value for key, value in self._meta.items() if key not in copied}}
        config["states"] = [state.to_config() for state in self._states.values()]
        config["transitions"] = [transition.to_config() for transition in self._transitions]
        config.update((key, self._meta[key]) for key in sorted(copied & self._meta.keys()))
        policy = dict(self.error_policy.metadata)
        if self.error_policy.default_fallback is not None:
            policy["default_fallback"] = self.error_policy.default_fallback
        if self.error_policy.retry_attempts:
            policy["retry_attempts"] = self.error_policy.retry_attempts
        if policy:
            config["error_policy"] = policy
        return config

    def guard(self, name: str) -> Callable[[Function], Function]:
        """Registers the decorated function as a guard."""
        return named(self._guards.register, name)

    def action(self, name: str) -> Callable[[Function], Function]:
        """Registers the decorated function as an action."""
        return named(self._actions.register, name)

    def on_enter(self, state: str) -> Callable[[Function], Function]:
        """Has the decorated function called by sessions that come to a state."""
        self._watch()
        return self._callbacks.adder("enter", state)

    def on_exit(self, state: str) -> Callable[[Function], Function]:
        """Has the decorated function called by sessions that leave a state."""
        self._watch()
        return self._callbacks.adder("exit", state)

    def on_transition(self, source: str, target: str) -> Callable[[Function], Function]:
        """Has the decorated function called by sessions that go from one state to another."""
        self._watch()
        return self._callbacks.adder("transition", (source, target))

    def bind_guards(self, registry: GuardRegistry) -> Self:
        """Asks another registry from now on, as strictly as the machine is."""
        registry.strict = self.error_policy.strict_guard_registry_effective()
        self._guards = registry
        return self

    def bind_actions(self, registry: ActionRegistry) -> Self:
        """Takes actions from another registry from now on."""
        self._actions = registry
        return self

    def _answer(self, guard: GuardSpec | WhenCheck, context: dict[str, Any]) -> bool:
        """Whether a guard passes that the native part cannot answer for."""
        if isinstance(guard, WhenCheck):
            return bool(front().evaluate_when_check(guard, context))
        return self._guards.passes(guard, context)

    async def aprocess(
        self,
        current_state: str,
        event: str | Event,
        context: Context = None,
        *,
        history: Mapping[str, str] | None = None,
    ) -> TransitionResult:
        """`process` with guards that may be asynchronous."""
        answers = AsyncAnswers(self)
        return await answers.settle(lambda ask: self._process_asking(ask, current_state, event, context, history))

    def create(
        self,
        *,
        entity_id: str | None = None,
        context: dict[str, Any] | None = None,
        initial_state: str | None = None,
        execute_actions: bool = False,
        **options: Any,
    ) -> EntitySession:
        """A session of one entity; for further options see `EntitySession`."""
        if not options:
            return EntitySession(
                self,
                entity_id=entity_id,
                context=context,
                initial_state=initial_state,
                execute_actions=execute_actions,
            )
        return EntitySession(
            self,
            entity_id=entity_id,
            context=context,
            initial_state=initial_state,
            execute_actions=execute_actions,
            **options,
        )

    def orchestrate(self, store: Any, **options: Any) -> Any:
        """An orchestrator of this machine over a store."""
        return front().Orchestrator(self, store, self._guards, self._actions, **options)

    def apply_history(self, result: TransitionResult) -> None:
        """Remembers what a result leaves, for callers of `process` that give no history of their own."""
        self._memory.update(result.metadata.get("_history_updates") or {})

    def get_state(self, name: str) -> State:
        """The state of a name."""
        state = self._states.get(name)
        if state is None:
            raise UndefinedStateError(f"State '{name}' is not defined", name)
        return state

    def get_initial_state(self) -> State:
        """The leaf that entities begin in."""
        return self._states[self.initial_leaf]

    def get_available_transitions(self, current_state: str) -> list[Transition]:
        """The transitions of a state and of those it is in, whatever their guards say."""
        chain = set(self._chain(current_state))
        return [transition for transition in self._transitions if not chain.isdisjoint(transition.source)]

    def get_available_triggers(self, current_state: str) -> list[str]:
        """The triggers of those transitions, sorted."""
        return sorted({transition.trigger for transition in self.get_available_transitions(current_state)})

    def can_transition(self, current_state: str, trigger: str, context: Context = None) -> bool:
        """Whether a trigger would lead anywhere now."""
        try:
            return bool(self.process(current_state, trigger, context).success)
        except FSMError:
            return False

    def enabled_triggers(self, current_state: str, context: Context = None) -> dict[str, TransitionResult]:
        """What each trigger of a state would do now; a refused one says why."""
        triggers = self.get_available_triggers(current_state)
        return {trigger: self.process(current_state, trigger, context) for trigger in triggers}

    def evaluate_destination(
        self, current_state: str, destination_state: str, context: Context = None
    ) -> DestinationCheckResult:
        """Which transitions lead from one state to another, and which of them would now."""
        self.get_state(current_state)
        candidates: tuple[DestinationCandidate, ...] = ()
        reason = None
        if destination_state not in self._states:
            reason = "undefined_destination"
        else:
            candidates = tuple(
                self._candidate(current_state, transition, context)
                for transition in self.get_available_transitions(current_state)
                if transition.dest == destination_state
            )
            reason = None if candidates else "no_transition_to_destination"
        passing = sum(candidate.executable for candidate in candidates)
        metadata: dict[str, Any] = {} if reason is None else {"reason": reason}
        if passing > 1:
            metadata["ambiguous"] = True
        return DestinationCheckResult(
            passing > 0, current_state, destination_state, len(candidates), passing, candidates, metadata
        )

    def can_transition_to(self, current_state: str, destination_state: str, context: Context = None) -> bool:
        """Whether any transition leads from one state to another now."""
        return self.evaluate_destination(current_state, destination_state, context).allowed

    def _candidate(self, state: str, transition: Transition, context: Context) -> DestinationCandidate:
        result = self.process(state, transition.trigger, context)
        if result.success:
            arrives = result.target_state == self.hierarchy.resolve_initial_leaf(transition.dest)
            reason = None if arrives else "target_mismatch"
        else:
            code = getattr(result.error, "code", None)
            reason = "transition_failed" if code is None else str(code.value)
        return DestinationCandidate(transition.trigger, transition.dest, reason is None, result, reason)

    def _chain(self, state: str) -> list[str]:
        chain = []
        here = self._states.get(state)
        while here is not None:
            chain.append(here.name)
            here = None if here.parent is None else self._states[here.parent]
        return chain

    def validate_state(self, state: str) -> bool:
        """Whether the machine has a state of this name."""
        return state in self._states

    def is_terminal(self, state: str) -> bool:
        """Whether a state is never left."""
        return self.get_state(state).is_terminal

    def is_initial(self, state: str) -> bool:
        """Whether entities begin in a state."""
        return self.get_state(state).is_initial

    def is_parallel_state(self, state_name: str) -> bool:
        """Whether a state has regions."""
        return self.parallel.is_parallel_state(state_name)

    def enter_parallel_state(self, parallel_state_name: str) -> ParallelStateConfig:
        """All regions of a parallel state in their initial states."""
        return self.parallel.enter_parallel_state(parallel_state_name)

    def process_parallel(
        self, config: ParallelStateConfig, event: str | Event, context: Context = None
    ) -> tuple[ParallelStateConfig, list[TransitionResult]]:
        """What an event does to the regions of a parallel state."""
        states, results = self._process_regions(None, config.parallel_state, config.region_states, event, context)
        return (config if states is None else config.at(states)), results

    async def aprocess_parallel(
        self, config: ParallelStateConfig, event: str | Event, context: Context = None
    ) -> tuple[ParallelStateConfig, list[TransitionResult]]:
        """`process_parallel` with guards that may be asynchronous."""
        parallel, regions = config.parallel_state, config.region_states
        states, results = await AsyncAnswers(self).settle(
            lambda ask: self._process_regions(ask, parallel, regions, event, context)
        )
        return (config if states is None else config.at(states)), results

    def evaluate_post_transition(
        self,
        current_state: str,
        context: Context,
        *,
        max_depth: int = 20,
        history: Mapping[str, str] | None = None,
    ) -> list[TransitionResult]:
        """The steps that follow from a state without an event. The context stays as it is between them."""
        results: list[TransitionResult] = []
        while len(results) < max_depth and (step := self._automatic(None, current_state, context, history)):
            results.append(step)
            current_state = str(step.target_state)
        if len(results) == max_depth and results and self._automatic(None, current_state, context, history):
            results[-1].metadata["auto_depth_exceeded"] = True
        return results

    evaluate_auto_transitions = evaluate_post_transition

    async def async_evaluate_post_transition(
        self,
        current_state: str,
        context: Context,
        *,
        max_depth: int = 20,
        history: Mapping[str, str] | None = None,
    ) -> list[TransitionResult]:
        """`evaluate_post_transition` with guards that may be asynchronous."""
        results: list[TransitionResult] = []
        while len(results) < max_depth and (step := await self._aautomatic(current_state, context, history)):
            results.append(step)
            current_state = str(step.target_state)
        if len(results) == max_depth and results and await self._aautomatic(current_state, context, history):
            results[-1].metadata["auto_depth_exceeded"] = True
        return results

    async_evaluate_auto_transitions = async_evaluate_post_transition

    async def _aautomatic(
        self, state: str, context: Context, history: Mapping[str, str] | None
    ) -> TransitionResult | None:
        return await AsyncAnswers(self).settle(lambda ask: self._automatic(ask, state, context, history))

    def get_state_variables(self) -> list[dict[str, Any]]:
        """What the definition says of the context's keys."""
        return list(self._meta.get("state_variables") or ())

    def get_context_invariants(self) -> list[dict[str, Any]]:
        """What must hold for the context at any time."""
        return list(self._meta.get("context_invariants") or ())

    def validate_context(self, context: Mapping[str, Any]) -> tuple[bool, list[str]]:
        """Whether a context is as the definition says; always, unless the definition wants it checked."""
        if not is_on(self._meta.get("validate_context"), False):
            return True, []
        faults = validate_context(self.get_state_variables(), self.get_context_invariants(), context)
        return not faults, faults

    def to_mermaid(self, **options: Any) -> str:
        """The machine as a Mermaid diagram."""
        return str(front().to_mermaid(self, **options))

    def to_dot(self, **options: Any) -> str:
        """The machine as a Graphviz graph."""
        return str(front().to_dot(self, **options))

    def to_scxml(self, **options: Any) -> str:
        """The machine as SCXML."""
        return str(front().to_scxml(self, **options))

    def get_statistics(self) -> dict[str, Any]:
        """How large the machine is, and of what."""
        return dict(front().get_statistics(self))

    def lint(self) -> list[Any]:
        """What looks wrong with the machine."""
        return list(front().lint(self))


def _holds_submachine(item: Any) -> bool:
    # Asking whether a dict is a mapping takes longer than all the rest.
    return (type(item) is dict or isinstance(item, Mapping)) and bool(item.get("submachine"))
