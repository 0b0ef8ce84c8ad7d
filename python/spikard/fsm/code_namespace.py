"""What code in actions finds around it. Runs inside of the process that code has for itself, too, so it imports nothing
of the package."""

import builtins
import importlib
import textwrap
from typing import Any

ALLOWED_MODULES = frozenset(
    {
        "collections",
        "copy",
        "datetime",
        "decimal",
        "enum",
        "functools",
        "itertools",
        "json",
        "math",
        "numpy",
        "operator",
        "re",
        "requests",
        "statistics",
        "string",
        "typing",
        "uuid",
    }
)

_BUILTINS = """
    abs all any bool bytes callable chr dict divmod enumerate filter float format frozenset getattr hasattr hash int
    isinstance issubclass iter len list map max min next object ord pow print range repr reversed round set slice sorted
    str sum tuple type zip
    ArithmeticError AttributeError Exception IndexError KeyError LookupError NameError OverflowError RuntimeError
    StopIteration TypeError ValueError ZeroDivisionError
""".split()


def run_source(source: str, ctx: dict[str, Any], *, imports: bool) -> None:
    """Run statements with `ctx` bound to the context."""
    code = compile(textwrap.dedent(source).strip("\n") + "\n", "<fsm_code_action>", "exec")
    exec(code, build_namespace(ctx, imports=imports))  # noqa: S102 - what the action is for; off unless switched on


def build_namespace(ctx: dict[str, Any], *, imports: bool) -> dict[str, Any]:
    """The names that code finds: the context, and with imports the safe builtins and the usual libraries."""
    namespace: dict[str, Any] = {"__builtins__": {}, "ctx": ctx}
    if not imports:
        return namespace
    known = {name: getattr(builtins, name) for name in _BUILTINS}
    namespace["__builtins__"] = {**known, "__import__": _import, "__build_class__": builtins.__build_class__}
    namespace["__name__"] = "fsm_code_action"
    for name, module in (("json", "json"), ("requests", "requests"), ("numpy", "numpy"), ("np", "numpy")):
        try:
            namespace[name] = importlib.import_module(module)
        except ImportError:
            continue
    try:
        yaml = importlib.import_module("yaml")
    except ImportError:
        return namespace
    namespace["yaml"] = type("yaml", (), {"safe_load": yaml.safe_load, "safe_dump": yaml.safe_dump})
    return namespace


def _import(name: str, globals_: Any = None, locals_: Any = None, fromlist: Any = (), level: int = 0) -> Any:
    root = name.partition(".")[0]
    if level or root not in ALLOWED_MODULES:
        raise ImportError(f"module '{name}' is not allowlisted for inline code actions")
    return __import__(name, globals_, locals_, fromlist, level)
