"""What is wrong with an application, found without serving or building anything."""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from spikard._spikard import Server
from spikard.app import weaving
from spikard.app.arrangement import arranged
from spikard.app.loop import driver_of, new_event_loop

if TYPE_CHECKING:
    from spikard.app.application import Spikard


def inspect(app: "Spikard") -> list[str]:
    """Every fault that shows before the first request, a line for each; nothing that starts with the application runs.

    That is: what handlers ask the container for, the container itself, the OpenAPI and AsyncAPI documents, and what a
    server of the application is made of: keys, certificates, directories, limits, demands of routes.
    """
    found: dict[str, None] = {}
    for fault in weaving.faults_of(app):
        # The container tells several faults of its own in one error.
        for line in str(fault).splitlines():
            found[f"dependencies: {line}"] = None
    for name, make in (("OpenAPI", app.openapi), ("AsyncAPI", app.asyncapi)):
        found |= dict.fromkeys(f"{name}: {line}" for line in _document_faults(name, make))
    if not found:
        found |= dict.fromkeys(f"settings: {line}" for line in _server_faults(app))
    return list(found)


def _document_faults(name: str, make: Callable[[], dict[str, Any]]) -> Iterator[str]:
    try:
        document = json.loads(json.dumps(make(), allow_nan=False))
    except Exception as fault:  # noqa: BLE001 - also what the application's own encoders and types raise
        yield in_one_line(fault)
        return
    if name == "OpenAPI":
        yield from _violations(document)


def _violations(document: dict[str, Any]) -> Iterator[str]:
    try:
        from openapi_spec_validator import OpenAPIV31SpecValidator
    except ModuleNotFoundError:
        # It comes with the extra for tests; without it the document has been made, which is most of the proof.
        return
    for fault in OpenAPIV31SpecValidator(document).iter_errors():
        yield f"/{'/'.join(str(part) for part in fault.absolute_path)}: {' '.join(fault.message.split())}"


def _server_faults(app: "Spikard") -> Iterator[str]:
    try:
        with asyncio.Runner(loop_factory=new_event_loop) as runner:
            runner.run(_build_server(app))
    except Exception as fault:  # noqa: BLE001 - files that are not there, values that native code refuses
        yield in_one_line(fault)


async def _build_server(app: "Spikard") -> None:
    loop = asyncio.get_running_loop()
    with arranged(app, app.config, loop):
        Server(app._native, app.config, loop, driver_of(loop)).close()


def in_one_line(fault: BaseException) -> str:
    """The text of an exception, or its kind where it has none."""
    return " ".join(str(fault).split()) or type(fault).__name__


__all__ = ["in_one_line", "inspect"]
