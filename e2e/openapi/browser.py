"""A headless Chromium, driven over its debugging protocol."""

import asyncio
import itertools
import json
import shutil
import subprocess
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from websockets.asyncio.client import ClientConnection, connect

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENCE = 60
# Resolves once a condition holds: looked at now, and again whenever the page changes.
WHEN = """new Promise(done => {
  const look = () => { const found = (%s); if (found) { observer.disconnect(); done(found); } };
  const observer = new MutationObserver(look);
  observer.observe(document, {subtree: true, childList: true, attributes: true, characterData: true});
  look();
})"""


def executable() -> str:
    """The browser's path."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    assert found, f"no browser is installed; one of {', '.join(NAMES)} is needed (Debian: apt-get install chromium)"
    return found


@dataclass
class Page:
    """One tab: what is done in it, and everything it complained about."""

    connection: ClientConnection
    complaints: list[str] = field(default_factory=list)
    requested: list[str] = field(default_factory=list)
    statuses: dict[str, int] = field(default_factory=dict)
    _ids: Any = field(default_factory=lambda: itertools.count(1))
    _waiting: dict[int, asyncio.Future[Any]] = field(default_factory=dict)
    _loaded: asyncio.Event = field(default_factory=asyncio.Event)

    async def command(self, method: str, **parameters: Any) -> Any:
        """Send a command; its result."""
        number = next(self._ids)
        future = self._waiting[number] = asyncio.get_running_loop().create_future()
        await self.connection.send(json.dumps({"id": number, "method": method, "params": parameters}))
        return await asyncio.wait_for(future, PATIENCE)

    async def open(self, url: str) -> None:
        """Load a page whole."""
        self._loaded.clear()
        await self.command("Page.navigate", url=url)
        await asyncio.wait_for(self._loaded.wait(), PATIENCE)

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression, awaited if it is a promise."""
        answer = await self.command("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def when(self, condition: str) -> Any:
        """Wait until an expression is true; gives its value."""
        return await self.evaluate(WHEN % condition)

    async def click(self, selector: str) -> None:
        """Click the first element of a selector, once it is there."""
        await self.when(f"document.querySelector({json.dumps(selector)}) && true")
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")

    async def fill(self, selector: str, text: str) -> None:
        """Type into a field, so that the page's program notices."""
        await self.when(f"document.querySelector({json.dumps(selector)}) && true")
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.command("Input.insertText", text=text)
        # Leaving the field makes the program take what was typed.
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).blur()")

    async def receive(self) -> None:
        """Take in what the browser tells, until it goes."""
        async for text in self.connection:
            told = json.loads(text)
            if "id" in told:
                self._answer(told)
            else:
                self._notice(told["method"], told["params"])

    def _answer(self, told: dict[str, Any]) -> None:
        future = self._waiting.pop(told["id"])
        if "error" in told:
            future.set_exception(RuntimeError(told["error"]["message"]))
        else:
            future.set_result(told["result"])

    def _notice(self, method: str, told: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Runtime.exceptionThrown":
            self.complaints.append(json.dumps(told["exceptionDetails"]))
        elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "assert"):
            self.complaints.append(json.dumps(told["args"]))
        elif method == "Log.entryAdded" and told["entry"]["level"] == "error":
            self.complaints.append(json.dumps(told["entry"]))
        elif method == "Network.requestWillBeSent":
            self.requested.append(told["request"]["url"])
        elif method == "Network.responseReceived":
            self.statuses[told["response"]["url"]] = told["response"]["status"]


class Browser:
    """The running program, with a profile of its own."""

    def __init__(self) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
        flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
        flags += ["--remote-debugging-port=0", f"--user-data-dir={self._profile.name}", "about:blank"]
        self._process = subprocess.Popen(
            [executable(), *flags],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> Self:
        assert self._process.stderr is not None
        for line in self._process.stderr:
            if line.startswith("DevTools listening on "):
                self.address = line.split()[-1]
                # A pipe that nobody reads would stop the browser once it is full.
                self._reading = threading.Thread(target=self._process.stderr.read)
                self._reading.start()
                return self
        raise AssertionError("the browser ended before it listened")

    def __exit__(self, *fault: object) -> None:
        self._process.terminate()
        self._process.wait(timeout=20)
        self._reading.join()
        if self._process.stderr is not None:
            self._process.stderr.close()
        self._profile.cleanup()

    @asynccontextmanager
    async def page(self) -> AsyncIterator[Page]:
        """A new tab."""
        async with connect(self.address, max_size=None) as browser:
            await browser.send(json.dumps({"id": 1, "method": "Target.createTarget", "params": {"url": "about:blank"}}))
            target = await _result(browser, 1)
        address = f"{self.address.partition('/devtools')[0]}/devtools/page/{target['targetId']}"
        async with connect(address, max_size=None) as connection:
            page = Page(connection)
            reading = asyncio.create_task(page.receive())
            try:
                for domain in ("Page", "Runtime", "Log", "Network"):
                    await page.command(f"{domain}.enable")
                yield page
            finally:
                reading.cancel()


async def _result(connection: ClientConnection, number: int) -> Any:
    async for text in connection:
        told = json.loads(text)
        if told.get("id") == number:
            return told["result"]
    raise AssertionError("the browser went away")
