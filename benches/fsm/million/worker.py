"""A worker as a process of its own: `worker.py URL FOLDER BATCH LEASE`."""

import asyncio
import logging
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from spikard.fsm import Worker, WorkerConfig

from fsm.million.machine import actions


def main(url: str, folder: str, batch: str, lease: str) -> None:
    logging.basicConfig(level=logging.ERROR)
    config = WorkerConfig(
        db_url=url, machine_source="yaml", machine_dir=folder, batch_size=int(batch), concurrency=4,
        claim_lease_timeout_s=int(lease), poll_interval_ms=200, max_attempts=50, retry_backoff_base_ms=100,
    )  # fmt: skip
    asyncio.run(Worker(config, actions=actions()).run())


if __name__ == "__main__":
    main(*sys.argv[1:])
