"""Tests of the shop: the machine as data, then the service over a socket, with a clock that tests move."""

import importlib.util
from collections.abc import AsyncIterator
from pathlib import Path
from types import ModuleType

import pytest

from spikard.fsm import SimulatedClock, StateMachine
from spikard.fsm.testing import load_scenarios, mutation_report, run_scenarios, testgen, verify
from spikard.testing import TestClient

# The plugin comes with anyio, which httpx brings along.
pytestmark = pytest.mark.anyio
HERE = Path(__file__).parent
GOOD, BAD = "4111111111111111", "4111111111111112"
PAYMENTS = {"pay": [{"card": GOOD}, {"card": BAD}]}


def load() -> ModuleType:
    """The shop, wherever the tests are started."""
    specification = importlib.util.spec_from_file_location("shop", HERE / "shop.py")
    assert specification
    assert specification.loader
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    monkeypatch.setenv("ORDERS_DATABASE", f"sqlite:///{tmp_path / 'default.db'}")
    return load()


@pytest.fixture
def machine(shop: ModuleType) -> StateMachine:
    built: StateMachine = shop.build_machine()
    return built


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock()


@pytest.fixture
async def client(shop: ModuleType, clock: SimulatedClock, tmp_path: Path) -> AsyncIterator[TestClient]:
    async with TestClient(shop.create_app(f"sqlite:///{tmp_path / 'orders.db'}", clock)) as client:
        yield client


def test_the_machine_tells_its_stories(machine: StateMachine) -> None:
    run_scenarios(machine, load_scenarios(HERE / "order.scenarios.yaml")).check()


def test_generated_paths_cover_all_of_it(machine: StateMachine) -> None:
    suite = testgen(machine, ["transitions", "boundary"], inputs=PAYMENTS)
    assert suite.coverage.transitions.ratio == 1.0, suite.coverage.missing()
    assert suite.coverage.guards.ratio == 1.0, suite.coverage.missing()
    assert mutation_report(machine, suite).score >= 0.95


def test_what_must_never_happen(machine: StateMachine) -> None:
    assert verify(machine, "never shipped and not paid_at").holds
    assert verify(machine, "deadlock", inputs=PAYMENTS).holds
    assert verify(machine, "awaiting_payment leads_to paid or cancelled or expired", inputs=PAYMENTS).holds


async def test_an_order_is_bought_and_delivered(client: TestClient) -> None:
    made = await client.post("/orders", json={"total": 1200})
    assert made.status_code == 201
    order = made.json()
    assert (order["state"], order["events"]) == ("awaiting_payment", ["cancel", "pay"])
    where = f"/orders/{order['order_id']}"

    wrong = await client.post(f"{where}/pay", json={"card": BAD})
    assert wrong.status_code == 409
    assert "Guard 'card_is_valid' failed" in wrong.json()["detail"]

    for event, body, state in (
        ("pay", {"card": GOOD}, "paid"),
        ("ship", {}, "shipped"),
        ("deliver", {}, "delivered"),
    ):
        answer = await client.post(f"{where}/{event}", json=body)
        assert (answer.status_code, answer.json()["state"]) == (200, state)
    shown = (await client.get(where)).json()
    assert shown["events"] == []
    assert shown["paid_at"].startswith("20")


async def test_an_order_that_nobody_pays_expires(client: TestClient, clock: SimulatedClock) -> None:
    order = (await client.post("/orders", json={"total": 5})).json()
    clock.advance(1799)
    assert (await client.get(f"/orders/{order['order_id']}")).json()["state"] == "awaiting_payment"
    clock.advance(1)
    # The timer fires in the service's own loop, which takes requests meanwhile.
    state = "awaiting_payment"
    while state == "awaiting_payment":
        state = (await client.get(f"/orders/{order['order_id']}")).json()["state"]
    assert state == "expired"


async def test_what_does_not_fit_is_refused(client: TestClient) -> None:
    assert (await client.post("/orders", json={"total": 0})).status_code == 409
    assert (await client.post("/orders", json={"total": -1})).status_code == 422
    assert (await client.get("/orders/nobody")).status_code == 404
    order = (await client.post("/orders", json={"total": 5})).json()
    assert (await client.post(f"/orders/{order['order_id']}/deliver", json={})).status_code == 409
    assert (await client.post(f"/orders/{order['order_id']}/explode", json={})).status_code == 404
