"""A worker as a process: `worker_program.py URL FOLDER`, with machines out of a folder.

Its action `tell` appends the key under which it is done to the file `told` there.
"""

import asyncio
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
    asyncio.run(Worker(config, actions=actions).run())


if __name__ == "__main__":
    main(*sys.argv[1:])
