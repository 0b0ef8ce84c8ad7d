"""The guards and actions that every machine has, and what they take."""

import inspect
from collections.abc import Callable
from typing import Any

from spikard.fsm.action_registry import ActionRegistry
from spikard.fsm.builtin_actions import ACTIONS
from spikard.fsm.builtin_guards import GUARDS
from spikard.fsm.check_spec import CHECK_OPS
from spikard.fsm.former_paths import front_of
from spikard.fsm.guard_registry import GuardRegistry
from spikard.fsm.sinks import LoggingEventSink, LoggingMetricSink, create_metric_action, create_publish_action

__getattr__ = front_of(__name__)

PUBLISHING: dict[str, Callable[..., None]] = {
    "publish": create_publish_action(LoggingEventSink()),
    "emit_metric": create_metric_action(LoggingMetricSink()),
}

_EFFECTS = [
    ("set", "Puts values into the context.", '{ set: { key: "value" } }'),
    ("timestamp", "Puts the present moment, in UTC, into a field.", "{ timestamp: field }"),
    ("increment", "Adds one to a number; a missing one counts as zero.", "{ increment: field }"),
    ("decrement", "Takes one from a number; a missing one counts as zero.", "{ decrement: field }"),
    (
        "append",
        "Adds a value to a list, making it where needed.",
        "{ append: { field: list, value: item } }",
    ),
    ("clear", "Removes a key.", "{ clear: field }"),
    ("compute", "Puts the values of expressions into the context, in order.", '{ compute: { total: "price * qty" } }'),
]
# Each with its tier: what editors offer first, what needs Python, what to take care with.
_FORMS = [
    (
        "check",
        "declarative",
        "{ check: { field: status, op: eq, value: ready } }",
        "Compares one field of the context.",
    ),
    ("allOf", "declarative", "{ allOf: [item, item] }", "All must hold."),
    ("anyOf", "declarative", "{ anyOf: [item, item] }", "One must hold."),
    ("not", "declarative", "{ not: item }", "Must not hold."),
    ("expr", "advanced", '{ expr: "qty > 0" }', "An expression over the context."),
    ("name", "extension", "{ name: is_ready, params: { key: value } }", "A registered function."),
]
_ADVANCED = [
    ("branch", "advanced", "{ branch: { when: item, then: [action], else: [action] } }", "Runs one of two lists."),
    ("code", "escape_hatch", "{ code: \"ctx['seen'] = True\" }", "Runs Python, where that is switched on."),
    ("custom", "extension", "{ custom: { name: notify, params: { key: value } } }", "Runs a registered function."),
]
_STATUSES = [
    ("ok", "The action has run."),
    ("failed", "The action has raised, or has said that it failed."),
    ("skipped", "The action has not run: its condition did not hold, or it is not registered and need not be."),
]
_ADVICE = [
    "Begin with checks and effects: they are data, and can be analysed.",
    "Register functions under names for what is used again.",
    "Keep expressions, code and raw requests for what nothing else can say.",
]


def register_builtins(
    guard_registry: GuardRegistry | None = None, action_registry: ActionRegistry | None = None
) -> tuple[GuardRegistry, ActionRegistry]:
    """Add the built-in guards and actions whose names are still free; makes the registries that are not given."""
    guards = GuardRegistry() if guard_registry is None else guard_registry
    actions = ActionRegistry() if action_registry is None else action_registry
    for name, guard in GUARDS.items():
        if name not in guards:
            guards.register(name, guard)
    for name, action in (*ACTIONS.items(), *PUBLISHING.items()):
        if name not in actions:
            actions.register(name, action)
    return guards, actions


def builtin_registries() -> tuple[GuardRegistry, ActionRegistry]:
    """A fresh pair of registries with the built-in guards and actions."""
    return register_builtins()


def get_builtin_catalog() -> dict[str, Any]:
    """What the built-in guards, actions and effects are called, do and take, for editors."""
    return {
        "guards": [_entry("guard", name, guard) for name, guard in GUARDS.items()],
        "actions": [_entry("action", name, action) for name, action in (*ACTIONS.items(), *PUBLISHING.items())],
        "effects": [
            {"name": name, "kind": "effect", "description": summary, "summary": summary, "syntax": syntax}
            for name, summary, syntax in _EFFECTS
        ],
        "check_operators": [{"name": name} for name in sorted(CHECK_OPS)],
        "http_action": {
            "name": "http",
            "description": "Sends a request; {{ expressions }} in its URL, headers and body are filled in.",
            "syntax": '{ http: { url: "https://...", method: POST, body: { ... } } }',
            "params": ["url", "method", "headers", "body", "timeout", "retry", "on_success", "on_error"],
        },
        "condition_forms": _forms(_FORMS),
        "advanced_actions": _forms(_ADVANCED),
        "action_statuses": [{"name": name, "description": summary} for name, summary in _STATUSES],
        "recommended_model": list(_ADVICE),
    }


def _forms(forms: list[tuple[str, str, str, str]]) -> list[dict[str, str]]:
    return [
        {"name": name, "tier": tier, "syntax": syntax, "description": summary} for name, tier, syntax, summary in forms
    ]


def _entry(kind: str, name: str, function: Callable[..., Any]) -> dict[str, Any]:
    summary = (inspect.getdoc(function) or "").split("\n", 1)[0]
    params = [
        {"name": parameter.name, "default": str(parameter.default), "type": _type_name(parameter.annotation)}
        for parameter in inspect.signature(function).parameters.values()
        if parameter.kind is parameter.KEYWORD_ONLY
    ]
    return {
        "name": name, "kind": kind, "description": summary, "summary": summary, "params": params, "parameters": params,
    }  # fmt: skip


def _type_name(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
