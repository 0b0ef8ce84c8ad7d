"""A worker as a process: `worker_program.py URL FOLDER`, with machines out of a folder."""

import asyncio
import sys

from spikard.fsm import Worker, WorkerConfig


def main(url: str, folder: str) -> None:
    config = WorkerConfig(
        db_url=url, machine_source="yaml", machine_dir=folder, poll_interval_ms=20, claim_lease_timeout_s=1,
        drain_timeout_s=10, batch_size=10, max_attempts=50,
    )  # fmt: skip
    asyncio.run(Worker(config).run())


if __name__ == "__main__":
    main(*sys.argv[1:])
