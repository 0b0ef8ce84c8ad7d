"""A worker as a process of its own: `worker.py URL FOLDER`."""

import asyncio
import logging
import sys

from spikard.fsm import Worker, WorkerConfig


def main(url: str, folder: str) -> None:
    logging.basicConfig(level=logging.ERROR)
    config = WorkerConfig(
        db_url=url, machine_source="yaml", machine_dir=folder, batch_size=50, concurrency=4, poll_interval_ms=200
    )
    asyncio.run(Worker(config).run())


if __name__ == "__main__":
    main(*sys.argv[1:])
