"""The page of `spikard bot fake` in a browser, talking with an example."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from browser import Browser, Page

EXAMPLES = Path(__file__).resolve().parents[2] / "examples" / "bots"


@asynccontextmanager
async def process(*command: str, **environment: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """A program that ends with the block, cleanly."""
    known = {**os.environ, **environment}
    running = await asyncio.create_subprocess_exec(*command, env=known, stdout=asyncio.subprocess.PIPE)
    try:
        yield running
        running.send_signal(signal.SIGTERM)
    except BaseException:
        running.kill()
        raise
    finally:
        await running.communicate()
    assert running.returncode == 0


@asynccontextmanager
async def fake() -> AsyncIterator[dict[str, str]]:
    """The fake server as a process; gives its address and token as a bot's environment."""
    async with process(sys.executable, "-m", "spikard", "bot", "fake", "--port", "0") as running:
        assert running.stdout is not None
        told = b""
        while b"export" not in told:
            told = await running.stdout.readline()
            assert told, "the server has ended"
        yield dict(one.split("=", 1) for one in told.decode().split()[1:])


async def last(page: Page, text: str) -> None:
    """Wait until the last bubble begins with a text."""
    await page.when(f"[...document.querySelectorAll('.message')].at(-1)?.textContent.startsWith({text!r})")


async def press(page: Page, text: str) -> None:
    """Press the button on which a text stands."""
    found = f"[...document.querySelectorAll('.message button')].find(one => one.textContent === {text!r})"
    await page.when(f"{found} && true")
    await page.evaluate(f"{found}.click()")


async def say(page: Page, text: str) -> None:
    """Type a text, and send it."""
    await page.fill("#text", text)
    await page.evaluate("document.getElementById('form').requestSubmit()")


async def test_a_person_chats_with_a_bot() -> None:
    with Browser() as browser:
        async with fake() as environment, browser.page() as page:
            async with process(sys.executable, str(EXAMPLES / "keyboard.py"), **environment):
                await page.open(environment["VKTEAMS_API_URL"])
                await say(page, "/teas")
                await last(page, "Which tea?")
                await press(page, "▶")
                await press(page, "Darjeeling")
                await last(page, "100 g of Darjeeling")
                await page.when("document.getElementById('notice').textContent === 'Darjeeling is in the basket'")
                await press(page, "100 g more")
                await last(page, "200 g of Darjeeling")
            async with process(sys.executable, str(EXAMPLES / "echo.py"), **environment):
                await page.open(environment["VKTEAMS_API_URL"] + "/?as=bob@corp.example")
                await say(page, "<img src=x onerror=alert(1)>")
                await last(page, "↩ <img src=x onerror=alert(1)><img src=x onerror=alert(1)>")
                assert await page.evaluate("document.querySelectorAll('.message img').length") == 0
            assert page.complaints == []
            address = environment["VKTEAMS_API_URL"]
            assert [url for url in page.requested if not url.startswith((address, "data:", "about:"))] == []
