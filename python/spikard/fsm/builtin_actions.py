"""Actions that every machine has."""

import copy
import json
import logging
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Any

logger = logging.getLogger("spikard.fsm.actions")


def noop(ctx: dict[str, Any]) -> None:
    """Does nothing: holds the place of an action to come."""


def log(ctx: dict[str, Any], *, message: str | None = None, level: str = "info") -> None:
    """Writes a line to the log; without a message, which step is being made."""
    number = logging.getLevelNamesMapping().get(level.upper(), logging.INFO)
    if message is None:
        target = ctx.get("dest", ctx.get("destination", ctx.get("new_status", "?")))
        message = f"{ctx.get('trigger', '?')}: {ctx.get('current_state', ctx.get('state', '?'))} -> {target}"
    logger.log(number, "%s", message)


def trace(ctx: dict[str, Any]) -> None:
    """Notes in `_trace` that it was run, for tests."""
    state = ctx.get("current_state", ctx.get("state"))
    entry = {"action": "trace", "state": state, "trigger": ctx.get("trigger"), "timestamp": _now()}
    ctx.setdefault("_trace", []).append(entry)


def set_context(ctx: dict[str, Any], **kwargs: Any) -> None:
    """Puts its parameters into the context."""
    ctx.update(kwargs)


def snapshot(ctx: dict[str, Any], *, label: str | None = None) -> None:
    """Keeps a copy of the context, as it is now, in `_snapshots`."""
    data = {key: copy.deepcopy(value) for key, value in ctx.items() if not key.startswith("_")}
    now = _now()
    ctx.setdefault("_snapshots", []).append({"label": label or now, "timestamp": now, "data": data})


def copy_key(ctx: dict[str, Any], *, key_from: str = "", key_to: str = "", **kwargs: Any) -> None:
    """Gives another key the same value; `from` and `to` are other names of the parameters."""
    source, target = key_from or kwargs.get("from"), key_to or kwargs.get("to")
    if not source or not target:
        logger.warning("copy_key: missing 'key_from' or 'key_to' param")
    elif source in ctx:
        ctx[target] = ctx[source]


def validate_keys(ctx: dict[str, Any], *, required: list[str] | None = None) -> None:
    """Adds to `_validation_errors` which of the required keys have no value."""
    if required is not None and not isinstance(required, list):
        logger.warning("validate_keys: 'required' param must be a list")
        return
    missing = [key for key in required or [] if ctx.get(key) is None]
    for key in missing:
        logger.warning("validate_keys: required key '%s' is missing or None", key)
    if missing:
        ctx.setdefault("_validation_errors", []).extend(missing)


def write_local_file(
    ctx: dict[str, Any],
    *,
    directory: str = "fsm_artifacts",
    filename: str = "artifact_{artifact_id}.txt",
    content: str | None = None,
    record_path_key: str = "artifact_path",
) -> str:
    """Writes a file below the working directory and notes its path in the context; without content, the context."""
    folder = _below(_filled(directory, ctx), "directory")
    name = _below(_filled(filename, ctx), "filename")
    if content is None:
        public = {key: value for key, value in ctx.items() if not key.startswith("_")}
        text = json.dumps(public, indent=2, sort_keys=True, default=str)
    else:
        text = _filled(content, {**ctx, "artifact_path": (folder / name).as_posix()})
    path = Path(folder / name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    ctx[record_path_key] = path.as_posix()
    ctx.setdefault("_artifacts", []).append(path.as_posix())
    return path.as_posix()


ACTIONS = {
    action.__name__: action
    for action in (noop, log, trace, set_context, snapshot, copy_key, validate_keys, write_local_file)
}


def _now() -> str:
    return datetime.now(UTC).isoformat()


def _below(text: str, what: str) -> PurePosixPath:
    path = PurePosixPath(text.replace("\\", "/"))
    if not path.parts and what == "filename":
        raise ValueError("filename must name a file")
    if path.is_absolute() or ".." in path.parts or Path(text).is_absolute():
        raise ValueError(f"{what} must be a relative path without '..' segments")
    return path


def _filled(text: str, ctx: dict[str, Any]) -> str:
    """The text with `{key}` replaced; only plain keys, so that a text cannot reach into the objects behind them."""
    for key, value in ctx.items():
        placeholder = "{" + key + "}"
        if placeholder in text:
            text = text.replace(placeholder, str(value))
    return text
