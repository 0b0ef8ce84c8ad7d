"""A worker: a process that brings waiting events to their entities."""

import asyncio
import inspect
import json
import logging
import traceback
from typing import TYPE_CHECKING, Any

from spikard.cli import target
from spikard.cli.fsm import options
from spikard.cli.fsm.database import add_database, masked, opened, reaching
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_FAILURE, EXIT_USAGE, Failure
from spikard.errors import ConfigError

if TYPE_CHECKING:
    import argparse

    from spikard.fsm.worker.process import Worker

LOG_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def run(arguments: list[str]) -> int:
    """Work until SIGTERM or SIGINT: then nothing more is claimed, and what was begun is brought to its end."""
    parser = options.command_parser(
        "worker",
        "Bring waiting events to their entities, until SIGTERM. Settings are SPIKARD_FSM_WORKER_… or [fsm.worker].",
    )
    parser.add_argument(
        "--app", metavar="MODULE:FACTORY", help="a worker, or a function that makes one, with guards and actions"
    )
    parser.add_argument("--app-dir", metavar="DIR", help="where modules are looked for first")
    parser.add_argument("--concurrency", metavar="N", type=int, help="how many events at once (5)")
    parser.add_argument("--poll-interval", metavar="MS", type=int, help="milliseconds between looks at the queue (500)")
    levels = ("debug", "info", "warning", "error")
    parser.add_argument("--log-level", default="info", choices=levels, help="what is written to the log (info)")
    add_database(parser)
    given = parser.parse_args(arguments)
    logging.basicConfig(format=LOG_FORMAT, level=given.log_level.upper())
    worker = made(given)
    configure(worker, given)
    url = worker.config.resolve_db_url()
    with opened(url):
        # It can be reached and has its tables; the worker has connections of its own.
        pass
    asyncio.run(work(worker, url, as_json=given.json))
    return EXIT_DONE


def made(given: "argparse.Namespace") -> "Worker":
    """The worker that is meant."""
    from spikard.fsm.worker.config import WorkerConfig
    from spikard.fsm.worker.process import Worker

    if given.app is None:
        return Worker(WorkerConfig())
    try:
        found = target.find(given.app, given.app_dir)
        if not isinstance(found, Worker) and callable(found):
            found = found()
        if inspect.isawaitable(found):
            found = asyncio.run(awaited(found))
    except ConfigError as error:
        raise Failure(str(error), EXIT_USAGE) from None
    except Failure:
        raise
    except Exception as error:  # noqa: BLE001 - whatever the imported code raises
        # The user's own code: where it failed is what they need to know.
        traceback.print_exc()
        raise Failure(f"{given.app} cannot be made: {type(error).__name__}: {error}", EXIT_FAILURE) from None
    if not isinstance(found, Worker):
        raise Failure(f"{given.app} gives a {type(found).__qualname__}, not a Worker of spikard.fsm", EXIT_USAGE)
    return found


async def awaited(coming: Any) -> Any:
    """What an `async def` factory gives."""
    return await coming


def configure(worker: "Worker", given: "argparse.Namespace") -> None:
    """What the command line says wins."""
    for name, value in (("concurrency", given.concurrency), ("poll_interval_ms", given.poll_interval)):
        if value is not None:
            if value < 1:
                raise Failure(f"--{name.replace('_', '-').removesuffix('-ms')} must be at least 1", EXIT_USAGE)
            setattr(worker.config, name, value)
    if given.database is not None:
        worker.config.db_url = given.database


async def work(worker: "Worker", url: str, *, as_json: bool) -> None:
    """Start, say so, and work to the end."""
    with reaching(url):
        await worker.start()
    health = worker.health
    machines = [] if health is None else (await health.status())["machine_names"]
    say(
        {"event": "started", "worker": worker.config.worker_id, "database": masked(url), "machines": machines},
        as_json=as_json,
    )
    await worker.run()
    say({"event": "stopped", "worker": worker.config.worker_id}, as_json=as_json)


def say(what: dict[str, Any], *, as_json: bool) -> None:
    """A line about the worker's life."""
    if as_json:
        print(json.dumps(what), flush=True)
        return
    event, *rest = what.items()
    told = [f"{name} {value if isinstance(value, str) else ' '.join(value) or 'none'}" for name, value in rest]
    print(f"{event[1]}: {', '.join(told)}", flush=True)
