"""The pages in a browser: they load from this server alone, complain of nothing, and try operations out."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
from browser import Browser, Page

from spikard import Spikard
from spikard.config import OpenApiConfig, ServerConfig
from spikard.testing import TestClient

described = OpenApiConfig(enabled=True, title="Tea shop", scalar_path="/scalar")
app = Spikard(ServerConfig(openapi=described))


@dataclass
class Tea:
    """A kind of tea."""

    name: str
    grams: int = 100


@app.get("/teas/{name}", tags=["teas"])
async def read_tea(name: str, grams: int = 5) -> Tea:
    """Look one up."""
    return Tea(name, grams)


@app.post("/teas", tags=["teas"], status_code=201)
async def add_tea(body: Tea) -> Tea:
    """Put one on the shelf."""
    return body


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for all tests."""
    with Browser() as running:
        yield running


@pytest.fixture
async def server() -> AsyncIterator[str]:
    """The application's address."""
    async with TestClient(app) as client:
        yield client.base_url


@pytest.fixture
async def page(browser: Browser, server: str) -> AsyncIterator[Page]:
    """A tab, which at the end has complained of nothing and asked nobody else."""
    async with browser.page() as opened:
        yield opened
        assert opened.complaints == []
        foreign = [url for url in opened.requested if not url.startswith((server, "data:", "blob:", "about:"))]
        assert foreign == []
        assert {url: status for url, status in opened.statuses.items() if status >= 400} == {}


async def test_swagger_ui_tries_an_operation_out(page: Page, server: str) -> None:
    await page.open(f"{server}/docs")
    assert await page.evaluate("document.title") == "Tea shop"
    operation = "#operations-teas-get_teas_name"
    await page.click(f"{operation} .opblock-summary-control")
    await page.click(f"{operation} .try-out__btn")
    await page.fill(f'{operation} tr[data-param-name="name"] input', "assam")
    await page.click(f"{operation} .execute")
    status = await page.when(
        f"(document.querySelector('{operation} .live-responses-table tbody .response-col_status') || {{}}).innerText"
    )
    assert status.split()[0] == "200"
    assert page.statuses[f"{server}/teas/assam?grams=5"] == 200
    shown = await page.evaluate(f"document.querySelector('{operation} .live-responses-table').innerText")
    assert '"name": "assam"' in shown


async def test_swagger_ui_sends_a_body(page: Page, server: str) -> None:
    await page.open(f"{server}/docs")
    operation = "#operations-teas-post_teas"
    await page.click(f"{operation} .opblock-summary-control")
    await page.click(f"{operation} .try-out__btn")
    await page.click(f"{operation} .execute")
    status = await page.when(
        f"(document.querySelector('{operation} .live-responses-table tbody .response-col_status') || {{}}).innerText"
    )
    assert status.split()[0] == "201"


async def test_redoc_shows_the_operations(page: Page, server: str) -> None:
    await page.open(f"{server}/redoc")
    assert await page.when(
        "document.querySelector('h1') && document.querySelector('h1').innerText.includes('Tea shop')"
    )
    assert await page.when("document.body.innerText.includes('Put one on the shelf.')")


async def test_scalar_shows_the_operations(page: Page, server: str) -> None:
    await page.open(f"{server}/scalar")
    assert await page.when("document.body.innerText.includes('Tea shop')")
    assert await page.when("document.body.innerText.includes('Look one up.')")
