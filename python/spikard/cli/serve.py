"""Hand over to the native supervisor, which then starts workers with this interpreter."""

import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

PROGRAM = "spikard-server"
EXIT_CONFIG = 2


def run(arguments: list[str]) -> int:
    """Become `spikard-server`; comes back only where a process cannot become another one, or without the program."""
    program = find_program()
    if program is None:
        print(
            f"spikard: error: {PROGRAM} is not installed beside {sys.executable}; install spikard again with it",
            file=sys.stderr,
        )
        return EXIT_CONFIG
    command = [program, "--python", sys.executable, *arguments]
    sys.stdout.flush()
    sys.stderr.flush()
    if os.name != "nt":
        os.execv(program, command)  # noqa: S606
    return subprocess.run(command, check=False).returncode


def find_program() -> str | None:
    """The server installed with this interpreter, else the first on PATH."""
    suffix = ".exe" if os.name == "nt" else ""
    for folder in script_folders():
        program = folder / (PROGRAM + suffix)
        if os.access(program, os.X_OK):
            return str(program)
    return shutil.which(PROGRAM)


def script_folders() -> Iterator[Path]:
    """Where installers put commands of this interpreter, most specific first."""
    yield Path(sysconfig.get_path("scripts"))
    yield Path(sys.executable).parent
    yield Path(sysconfig.get_path("scripts", sysconfig.get_preferred_scheme("user")))
    # `pip install --target` puts commands beside the packages.
    yield Path(__file__).resolve().parents[2] / "bin"
