"""A worker as a process: `worker_program.py URL FOLDER`, with machines out of a folder.

Its action `tell` appends the key under which it is done to the file `told` there. Once it can be told to stop it makes
a file `runs-PID` there.
"""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

from spikard.fsm import ActionRegistry, Worker, WorkerConfig, idempotency_key


def main(url: str, folder: str) -> None:
    config = WorkerConfig(
        db_url=url, machine_source="yaml", machine_dir=folder, poll_interval_ms=20, claim_lease_timeout_s=1,
        drain_timeout_s=10, batch_size=10, max_attempts=50,
    )  # fmt: skip
    actions = ActionRegistry()

    def tell(context: dict[str, Any]) -> None:
        with Path(folder, "told").open("a") as told:
            told.write(f"{idempotency_key()}\n")

    actions.register("tell", tell)

    def announce() -> None:
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            asyncio.get_running_loop().call_later(0.01, announce)
        else:
            Path(folder, f"runs-{os.getpid()}").touch()

    async def work() -> None:
        announce()
        await Worker(config, actions=actions).run()

    asyncio.run(work())


if __name__ == "__main__":
    main(*sys.argv[1:])
