"""Guards: registered, called as they want to be called, put together."""

import pytest

from spikard.fsm import (
    GuardExecutionError,
    GuardNotFoundError,
    GuardRegistry,
    GuardRejectedError,
    GuardResult,
    GuardSpec,
    Transition,
    all_of,
    any_of,
    equals,
    greater_than,
    in_list,
    negate,
)  # fmt: skip


@pytest.fixture
def guards() -> GuardRegistry:
    registry = GuardRegistry()
    registry.register("yes", lambda ctx: True)
    registry.register("no", lambda ctx: False)

    @registry.decorator()
    async def later(ctx):
        return ctx.get("x", False)

    @registry.decorator()
    def broken(ctx):
        raise ValueError("broken")

    @registry.decorator()
    def unreachable(ctx):
        raise ConnectionError("unreachable")

    @registry.decorator()
    def more(ctx, *, than=1):
        return ctx["v"] > than

    @registry.decorator()
    def plain(ctx):
        return ctx.get("_guard_params") == {"n": 2}

    return registry


def rule(*guards: GuardSpec) -> Transition:
    return Transition("t", frozenset({"a"}), "b", guards=guards)


def named(name: str, **params: object) -> GuardSpec:
    return GuardSpec(name=name, params=params)


def test_names(guards: GuardRegistry) -> None:
    assert guards.has("yes")
    assert "no" in guards
    assert len(guards) == 7
    assert guards.is_async("later")
    guards.unregister("no")
    assert "no" not in guards.list_guards()
    with pytest.raises(GuardNotFoundError, match="Guard 'no' not found"):
        guards.get("no")
    with pytest.raises(ValueError, match="cannot be empty"):
        guards.register("", lambda ctx: True)
    guards.clear()
    assert len(guards) == 0


@pytest.mark.parametrize(
    ("guard", "passed", "records"),
    [
        (named("more", than=2), True, [("more", True)]),
        (named("more", than=9), False, [("more", False)]),
        (named("more", unknown=1), False, [("more", False)]),
        (named("plain", n=2), True, [("plain", True)]),
        (named("broken"), False, [("broken", False)]),
        (named("operator.truth"), True, [("operator.truth", True)]),
        (named("operator:truth"), True, [("operator:truth", True)]),
        (GuardSpec(negate=named("no")), True, [("no", False), ("not", True)]),
        (GuardSpec(all_of=(named("yes"), named("no"))), False, [("yes", True), ("no", False), ("allOf", False)]),
        (GuardSpec(any_of=(named("no"), named("yes"))), True, [("no", False), ("yes", True), ("anyOf", True)]),
    ],
)
async def test_one_evaluation_for_sync_and_async(guards, guard, passed, records) -> None:
    for result in (
        guards.can_transition(rule(guard), {"v": 3}),
        await guards.async_can_transition(rule(guard), {"v": 3}),
    ):
        assert result.passed is passed
        assert result.evaluated_guards == records


def test_evaluation_stops_at_the_first_refusal(guards: GuardRegistry) -> None:
    result = guards.evaluate_all(["yes", "no", "broken"], {})
    assert not result
    assert (result.guard_name, result.message) == ("no", "Guard 'no' rejected transition")
    assert result.evaluated_guards == [("yes", True), ("no", False)]
    assert guards.evaluate_all(["no", "yes"], {}, fail_fast=False).evaluated_guards == [("no", False), ("yes", True)]
    with pytest.raises(ValueError, match="broken"):
        guards.evaluate_all(["broken"], {})


async def test_asynchronous_guards(guards: GuardRegistry) -> None:
    assert await guards.async_evaluate("later", {"x": True})
    assert not await guards.async_evaluate_all(["yes", "later"], {})
    assert await guards.async_evaluate_all([named("yes"), named("later")], {"x": 1})
    for evaluate in (
        lambda: guards.evaluate("later", {}),
        lambda: guards.evaluate_all(["later"], {}),
        lambda: guards.can_transition(rule(named("later")), {}),
    ):
        with pytest.raises(GuardExecutionError, match="is async and cannot be evaluated synchronously"):
            evaluate()


async def test_what_may_pass_by_itself_is_raised(guards: GuardRegistry) -> None:
    with pytest.raises(GuardExecutionError, match="failed with transient error") as caught:
        guards.can_transition(rule(named("unreachable")), {})
    assert isinstance(caught.value.original_error, ConnectionError)
    with pytest.raises(GuardExecutionError):
        await guards.async_can_transition(rule(GuardSpec(negate=named("unreachable"))), {})


def test_missing_guards(guards: GuardRegistry) -> None:
    with pytest.raises(GuardNotFoundError, match="Guard 'zz' not registered"):
        guards.can_transition(rule(named("zz")), {})
    with pytest.raises(GuardNotFoundError, match="could not be imported"):
        guards.can_transition(rule(named("nowhere.zz")), {})
    lenient = GuardRegistry(strict=False)
    assert lenient.can_transition(rule(named("zz"), named("nowhere.zz")), {})


def test_a_refusal_can_be_raised(guards: GuardRegistry) -> None:
    guards.evaluate_and_raise(rule(named("yes")), "a", {})
    with pytest.raises(GuardRejectedError) as caught:
        guards.evaluate_and_raise(rule(named("no")), "a", {})
    assert caught.value.guard_result == [("no", False)]
    assert (caught.value.current_state, caught.value.trigger) == ("a", "t")


def test_names_at_any_depth(guards: GuardRegistry) -> None:
    spec = GuardSpec(all_of=(named("a"), GuardSpec(any_of=(named("b"), GuardSpec(negate=named("c"))))))
    assert guards.get_required_guards([rule(spec), rule(GuardSpec(expr="1 > 0"))]) == {"a", "b", "c"}


def test_typed_guards(guards: GuardRegistry) -> None:
    @guards.decorator()
    def enough(qty: int, least: int = 2) -> bool:
        return qty >= least

    def passes(context, **params) -> bool:
        return guards.can_transition(rule(named("enough", **params)), context).passed

    assert passes({"qty": 3})
    assert not passes({"qty": 1})
    assert passes({"qty": 1}, least=1)
    assert not passes({})
    assert not passes({"qty": "many"})
    assert not passes({"qty": True})


def test_factories() -> None:
    assert equals("a", None)({})
    assert greater_than("a", 1)({"a": 2})
    assert not greater_than("a", 1)({"a": "x"})
    assert in_list("a", [1])({"a": 1})
    assert not in_list("a", [1])({})
    assert all_of(equals("a", 1), negate(equals("b", 1)))({"a": 1})
    assert not any_of()({})
    assert GuardResult.failure("g", "why", [("a", True)]) == GuardResult(False, "g", "why", [("a", True)])
    assert GuardResult.success()


async def test_a_guard_asked_alone_gives_its_own_answer() -> None:
    guards = GuardRegistry()
    guards.register("found", lambda context: context.get("found"))

    async def waits(context: dict[str, str]) -> str | None:
        return context.get("found")

    guards.register("waits", waits)
    assert (guards.evaluate("found", {"found": "x"}), guards.evaluate("found", {})) == ("x", None)
    assert await guards.async_evaluate("waits", {"found": "x"}) == "x"
    assert guards.evaluate_all(["found"], {"found": "x"}).evaluated_guards == [("found", "x")]


async def test_no_guards_pass() -> None:
    assert GuardRegistry().evaluate_all(None, {}) == GuardResult.success()
    assert await GuardRegistry().async_evaluate_all(None, {}) == GuardResult.success()
