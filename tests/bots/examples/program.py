"""An example as a process of its own, which talks with fake servers over HTTP."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import spikard
from spikard.bots.testing import FakeVKTeams

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples" / "bots"


@asynccontextmanager
async def started(
    name: str, server: FakeVKTeams, folder: Path, **environment: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """Runs an example until the block ends; it has to end cleanly when it is asked to, and to have said no token."""
    known = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(Path(spikard.__file__).parents[1]),
        "VKTEAMS_TOKEN": server.token,
        "VKTEAMS_API_URL": server.base_url,
        **environment,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "error", str(EXAMPLES / name),
        cwd=folder, env=known, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield process
        process.send_signal(signal.SIGTERM)
    except BaseException:
        process.kill()
        raise
    finally:
        output, _ = await process.communicate()
        text = output.decode()
        print(text)
    assert process.returncode == 0, text
    assert server.token not in text
    assert "Traceback" not in text
