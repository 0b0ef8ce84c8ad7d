"""Handing `app.run()` over to `spikard-server`, which starts and watches several workers."""

import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from spikard.config import ServerConfig
from spikard.errors import ConfigError

if TYPE_CHECKING:
    from spikard.app.application import Spikard

COMMAND = "spikard-server"

# What the supervisor itself has to know; the workers read the rest from the application's own configuration.
PASSED_ON = {
    "--backlog": "backlog",
    "--shutdown-timeout": "shutdown_timeout",
    "--max-requests": "max_requests",
    "--max-requests-jitter": "max_requests_jitter",
    "--worker-max-rss": "worker_max_rss",
    "--worker-lifetime": "worker_lifetime",
}


def become_supervisor(app: "Spikard", config: ServerConfig, *, reload: bool) -> NoReturn:
    """Replace this process by a supervisor whose workers import the application themselves."""
    target = import_target(app)
    command = find_command()
    arguments = [command, target, "--python", sys.executable, "--workers", str(config.workers)]
    arguments += ["--uds", config.uds] if config.uds else ["--host", config.host, "--port", str(config.port)]
    for option, field in PASSED_ON.items():
        if value := getattr(config, field):
            arguments += [option, str(value)]
    if reload:
        arguments.append("--reload")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(command, arguments)  # noqa: S606 - our own command, no shell wanted


def import_target(app: "Spikard") -> str:
    """Where a worker finds the application: `module:name` or `file.py:name` of the program that runs."""
    main = sys.modules["__main__"]
    name = next((name for name, value in vars(main).items() if value is app), None)
    if name is not None:
        spec = getattr(main, "__spec__", None)
        if spec is not None and spec.name:
            return f"{spec.name}:{name}"
        if (file := getattr(main, "__file__", None)) is not None:
            return f"{Path(file).resolve()}:{name}"
    for module in list(sys.modules.values()):
        for name, value in list(getattr(module, "__dict__", {}).items()):
            if value is app and module is not main:
                return f"{module.__name__}:{name}"
    msg = (
        "several workers and reload need an application that can be imported: bind it to a name at the top level of a "
        "module, or use workers=1"
    )
    raise ConfigError(msg)


def find_command() -> str:
    """The `spikard-server` installed beside this interpreter, else the one on PATH."""
    beside = Path(sysconfig.get_path("scripts")) / COMMAND
    found = str(beside) if beside.exists() else shutil.which(COMMAND)
    if found is None:
        msg = f"{COMMAND} is not installed beside {sys.executable}; several workers and reload need it"
        raise ConfigError(msg)
    return found
