"""A program that starts again when a Python file changes."""

import argparse
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

from spikard.cli.outcome import EXIT_USAGE, Failure

# Directories with other people's code, or none at all.
IGNORED = frozenset({"__pycache__", "node_modules", "site-packages", "target", "venv", "build"})
SECONDS_BETWEEN_LOOKS = 0.25
# Exit codes after which a change may help: a fault in a file that is being written.
MENDABLE = frozenset({1, EXIT_USAGE})

Moments = dict[Path, tuple[int, int]]


def restarting(arguments: list[str], given: argparse.Namespace) -> int:
    """Run `spikard` with these arguments in a process of its own, and anew after each change; gives its exit code.

    The one that runs ends as it does at any signal: what it has taken over is handled, and the server is told, before
    the next one polls.
    """
    folders = [Path(one) for one in given.reload_dir or [given.app_dir or "."]]
    for folder in folders:
        if not folder.is_dir():
            raise Failure(f"--reload-dir {folder} is not a directory", EXIT_USAGE)
    stopped = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def stop(number: int, frame: FrameType | None) -> None:
        del number, frame
        if stopped.is_set() and running:  # a second signal ends at once, here as there
            running[-1].send_signal(signal.SIGTERM)
        stopped.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    while True:
        before = moments(folders)
        # A signal of the terminal comes to us alone, and goes to the child from here.
        child = subprocess.Popen(
            [sys.executable, "-m", "spikard", *arguments],
            # A file that changes twice in a second would be taken from its compiled form.
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            start_new_session=True,
        )
        running[:] = [child]
        changed = _until(child, folders, before, stopped)
        code = _ended(child)
        if stopped.is_set():
            return code
        if not changed and code not in MENDABLE:
            return code
        if not changed:
            print("spikard bot: waiting for a change", file=sys.stderr, flush=True)
            changed = _until(None, folders, before, stopped)
            if stopped.is_set():
                return code
        print(f"spikard bot: {changed} has changed, starting again", file=sys.stderr, flush=True)


def _until(
    child: "subprocess.Popen[bytes] | None", folders: list[Path], before: Moments, stopped: threading.Event
) -> Path | None:
    """The file that has changed; None if the child has ended, or a signal came."""
    while not stopped.wait(SECONDS_BETWEEN_LOOKS):
        found = difference(before, moments(folders))
        if found is not None:
            return found
        if child is not None and child.poll() is not None:
            return None
    return None


def _ended(child: "subprocess.Popen[bytes]") -> int:
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
    return child.wait()


def moments(folders: list[Path]) -> Moments:
    """When the Python files below directories were written, and how long they are."""
    found: Moments = {}
    for folder in folders:
        for path in _files(folder):
            try:
                state = path.stat()
            except OSError:  # it is gone meanwhile
                continue
            found[path] = (state.st_mtime_ns, state.st_size)
    return found


def difference(before: Moments, after: Moments) -> Path | None:
    """A file that is new, gone or written anew."""
    if before == after:
        return None
    return min(path for path in before.keys() | after.keys() if before.get(path) != after.get(path))


def _files(folder: Path) -> Iterator[Path]:
    for root, inner, names in os.walk(folder):
        inner[:] = [name for name in inner if name not in IGNORED and not name.startswith(".")]
        yield from (Path(root) / name for name in names if name.endswith(".py"))
