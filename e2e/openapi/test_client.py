"""A client that somebody else's generator makes of the document can do all that the application offers."""

import asyncio
import json
import os
import subprocess
from pathlib import Path

import pytest
from generator import install, programs
from shop import build

from spikard.testing import TestClient

SHOPPING = Path(__file__).with_name("shopping.py")


def run(*command: str | Path) -> str:
    """What a program says; the test fails with it if the program does."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment with the generator: `.ci/test` has made one, which takes a while."""
    made = os.environ.get("SPIKARD_GENERATOR")
    return programs(Path(made)) if made else install(tmp_path_factory.mktemp("generator"))


async def test_a_generated_client(environment: Path, tmp_path: Path) -> None:
    client, config, document = tmp_path / "client", tmp_path / "config.json", tmp_path / "openapi.json"
    # Not formatted: the generator's tool for it need not be there.
    config.write_text(json.dumps({"post_hooks": []}))
    async with TestClient(build()) as server:
        document.write_bytes((await server.get("/openapi.json")).content)
        await asyncio.to_thread(
            run, environment / "openapi-python-client", "generate", "--path", document, "--output-path", client,
            "--config", config, "--fail-on-warning",
        )  # fmt: skip
        said = await asyncio.to_thread(run, environment / "python", SHOPPING, client, server.base_url)
    assert said == "all of it came back\n"
