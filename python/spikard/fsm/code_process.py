"""Processes for code of actions: kept, lent to one job at a time, replaced when they are gone."""

import atexit
import builtins
import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

_CHILD = Path(__file__).with_name("code_child.py")
_KEPT = 4

_idle: list["CodeProcess"] = []
_lock = threading.Lock()


class CodeProcess:
    """A process that runs code, each job in a child of its own under limits."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-B", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            close_fds=True,
            # Libraries that start threads when they are loaded would leave them behind when it forks.
            env={**os.environ, **dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")},
        )

    def run(self, job: dict[str, Any]) -> dict[str, Any]:
        """The answer to a job."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("the process for code has no channels")
        self._process.stdin.write(json.dumps(job).encode() + b"\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the process for code has gone away")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()
        self._process.kill()
        self._process.wait()


def run_in_process(
    source: str, ctx: dict[str, Any], *, imports: bool, cpu: float, megabytes: float, timeout: float
) -> None:
    """Run code on a copy of the context, and take over what it changed.

    Only what JSON can say goes there and back; other values stay as they are and out of the code's sight.
    """
    sent = {key: value for key, value in ctx.items() if isinstance(key, str) and _is_json(value)}
    job = {
        "source": source,
        "context": sent,
        "imports": imports,
        "cpu": cpu,
        "memory": int(megabytes * 1_000_000),
        "timeout": timeout,
    }
    process = _lend()
    try:
        answer = process.run(job)
    except BaseException:
        process.close()
        raise
    _give_back(process)
    if "error" in answer:
        raise _exception(answer["error"], answer["message"])
    returned = answer["context"]
    before = json.loads(json.dumps(sent))
    for key in before:
        if key not in returned:
            ctx.pop(key, None)
    # What did not change stays the very same object.
    ctx.update({key: value for key, value in returned.items() if key not in before or before[key] != value})


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError, RecursionError):
        return False
    return True


def _exception(kind: str, message: str) -> Exception:
    """The exception that the code raised, where it is one of Python's own."""
    found = getattr(builtins, kind, None)
    if isinstance(found, type) and issubclass(found, Exception):
        try:
            error = found(message)
        except TypeError:
            return RuntimeError(f"{kind}: {message}")
        return error
    return RuntimeError(f"{kind}: {message}")


def _lend() -> CodeProcess:
    with _lock:
        if _idle:
            return _idle.pop()
    return CodeProcess()


def _give_back(process: CodeProcess) -> None:
    with _lock:
        if len(_idle) < _KEPT:
            _idle.append(process)
            return
    process.close()


@atexit.register
def close_processes() -> None:
    """End the processes that wait for jobs."""
    with _lock:
        processes, _idle[:] = _idle[:], []
    for process in processes:
        process.close()
