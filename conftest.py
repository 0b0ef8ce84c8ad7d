"""What every test of the repository may use."""

import pytest

pytest_plugins = ["tests.services"]


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Asynchronous tests run on asyncio, the loop the server belongs to."""
    return "asyncio"
