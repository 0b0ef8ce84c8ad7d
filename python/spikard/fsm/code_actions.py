"""`code:` actions: statements in a definition, off unless switched on."""

import sys
from typing import Any

from spikard.fsm.action_result import ActionResult
from spikard.fsm.code_namespace import run_source
from spikard.fsm.features import (
    get_allow_inline_code_actions,
    get_allow_inline_code_imports,
    get_code_isolation,
    get_code_megabytes,
    get_code_seconds,
)

_NAME = "_code"


def execute_code_action(params: dict[str, Any], context: dict[str, Any]) -> ActionResult:
    """Run the statements under `source` with `ctx` bound to the context.

    They run in a process of their own under limits of time, memory and files, unless SPIKARD_FSM_CODE_ISOLATION is
    `none`.
    """
    if not get_allow_inline_code_actions():
        return ActionResult.fail(
            _NAME,
            RuntimeError(
                "Inline code actions are disabled. Enable via environment variable "
                "SPIKARD_FSM_ALLOW_INLINE_CODE_ACTIONS or spikard.toml section [fsm.features]."
            ),
        )
    source = params.get("source")
    if not isinstance(source, str) or not source.strip():
        return ActionResult.fail(_NAME, ValueError("code action requires non-empty source string"))
    try:
        _run(source, params.get("timeout"), context)
    except Exception as error:  # noqa: BLE001 - ends in the result
        return ActionResult.fail(_NAME, error)
    return ActionResult.ok(_NAME)


def _run(source: str, timeout: Any, context: dict[str, Any]) -> None:
    imports = get_allow_inline_code_imports()
    if get_code_isolation() == "none":
        if timeout is not None:
            raise RuntimeError(
                "Inline code actions do not support per-action timeout; set SPIKARD_FSM_CODE_ISOLATION to 'process'"
            )
        run_source(source, context, imports=imports)
        return
    if sys.platform == "win32":
        raise RuntimeError("code has no process of its own on Windows; set SPIKARD_FSM_CODE_ISOLATION to 'none'")
    from spikard.fsm.code_process import run_in_process

    cpu = get_code_seconds()
    run_in_process(
        source,
        context,
        imports=imports,
        cpu=cpu,
        megabytes=get_code_megabytes(),
        timeout=cpu * 2 + 1 if timeout is None else float(timeout),
    )
