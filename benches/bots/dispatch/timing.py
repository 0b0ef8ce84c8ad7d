"""One process: a library's cases, printed as JSON. `python timing.py ours 5`."""

import asyncio
import importlib
import json
import logging
import sys

from cases import results

if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    module = importlib.import_module(sys.argv[1])
    print(json.dumps(asyncio.run(results(module.make, int(sys.argv[2])))))  # type: ignore[arg-type]
