"""The process in which code of actions runs: started by path, with nothing of the package but the file beside it.

It waits for jobs on its input, one line of JSON each, and forks for each of them: limits hold for one job, and nothing
one leaves behind is there for the next.
"""

import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from typing import Any

# Only for this import: the folder has modules named like others'.
sys.path.insert(0, str(Path(__file__).parent))

import code_namespace  # type: ignore[import-not-found]

del sys.path[0]

MAX_ANSWER = 16 << 20
# The descriptor on which a child answers.
ANSWER = 3


def serve() -> None:
    """Answer jobs until the input ends."""
    for line in sys.stdin.buffer:
        answer = run_forked(json.loads(line))
        sys.stdout.buffer.write(answer + b"\n")
        sys.stdout.buffer.flush()


def run_forked(job: dict[str, Any]) -> bytes:
    """Run a job in a child under its limits; the answer is JSON."""
    # Loaded here once, for all jobs to come.
    code_namespace.build_namespace({}, imports=job["imports"])
    readable, writable = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            keep_only(writable)
            answer = run_limited(job)
            while answer:
                answer = answer[os.write(ANSWER, answer) :]
            status = 0
        finally:
            os._exit(status)
    os.close(writable)
    answer, late = read_answer(readable, time.monotonic() + job["timeout"])
    if late or not answer:
        os.kill(child, signal.SIGKILL)
    os.close(readable)
    _, status = os.waitpid(child, 0)
    if late:
        return failure("TimeoutError", f"the code ran longer than {job['timeout']:g} seconds")
    if os.WIFSIGNALED(status) and os.WTERMSIG(status) in {signal.SIGXCPU, signal.SIGKILL}:
        return failure("TimeoutError", f"the code took more than {job['cpu']:g} seconds of processor time")
    if os.WIFSIGNALED(status) or not answer:
        return failure("RuntimeError", "the code ended its process")
    return answer


def read_answer(readable: int, until: float) -> tuple[bytes, bool]:
    """What the child says, and whether it took too long to."""
    answer = bytearray()
    while True:
        ready, _, _ = select.select([readable], [], [], max(0.0, until - time.monotonic()))
        if not ready:
            return b"", True
        part = os.read(readable, 1 << 16)
        if not part:
            return bytes(answer), False
        answer += part
        if len(answer) > MAX_ANSWER:
            return failure("MemoryError", f"the context became larger than {MAX_ANSWER} bytes"), False


def keep_only(writable: int) -> None:
    """Leave nothing open but the way of the answer; what the code prints goes nowhere."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    os.dup2(writable, ANSWER)
    os.closerange(ANSWER + 1, 256)


def run_limited(job: dict[str, Any]) -> bytes:
    """Run the code where limits can't be lifted again."""
    seconds = max(1, int(job["cpu"] + 0.999))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # Imports read files, and `requests` opens sockets; code without them can open nothing.
    files = 64 if job["imports"] else ANSWER + 1
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
    resource.setrlimit(resource.RLIMIT_AS, (job["memory"], job["memory"]))
    context = job["context"]
    try:
        code_namespace.run_source(job["source"], context, imports=job["imports"])
        return json.dumps({"context": context}).encode()
    except BaseException as error:  # noqa: BLE001 - told to whoever asked
        # A KeyError shows its key quoted; made anew of that text it would be quoted twice.
        is_key = type(error) is KeyError and len(error.args) == 1 and isinstance(error.args[0], str)
        text = error.args[0] if is_key else str(error)
        return failure(type(error).__name__, text or type(error).__name__)


def failure(kind: str, message: str) -> bytes:
    """An answer that says what went wrong."""
    return json.dumps({"error": kind, "message": message[:10_000]}).encode()


if __name__ == "__main__":
    serve()
