"""Orders that a state machine keeps in order: HTTP in front, SQLite behind.

spikard serve examples/orders/shop.py
curl -d '{"total": 1200}' -H 'content-type: application/json' http://127.0.0.1:8000/orders
curl -d '{"card": "4111111111111111"}' -H 'content-type: application/json' http://127.0.0.1:8000/orders/ID/pay
"""

import os
from pathlib import Path
from typing import Annotated, Any
from uuid import uuid4

import msgspec

from spikard import HTTPException, Spikard
from spikard.fsm import (
    AsyncioScheduler,
    Clock,
    Event,
    FsmClock,
    Orchestrator,
    StateMachine,
    TransitionResult,
    UndefinedTriggerError,
    create_state_store,
)

HERE = Path(__file__).parent


class Order(msgspec.Struct):
    """An order as clients see it."""

    order_id: str
    state: str
    total: int
    events: list[str]
    paid_at: str | None = None


class Basket(msgspec.Struct):
    """What somebody wants to buy."""

    total: Annotated[int, msgspec.Meta(ge=0, description="In cents")]


def build_machine() -> StateMachine:
    """The machine with its guards and actions."""
    machine = StateMachine.from_yaml(HERE / "order.yaml")

    @machine.guard("card_is_valid")
    def card_is_valid(card: str) -> bool:
        # Luhn: the check digit finds typing errors.
        digits = [int(digit) for digit in card if digit.isdigit()]
        doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
        return len(digits) == len(card) >= 12 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0

    @machine.action("reserve")
    def reserve(context: dict[str, Any]) -> None:
        context["reserved"] = True

    @machine.action("release")
    def release(context: dict[str, Any]) -> None:
        context["reserved"] = False

    @machine.action("receipt")
    async def receipt(context: dict[str, Any]) -> None:
        context["receipt"] = f"{context['total'] / 100:.2f} EUR"

    return machine


def create_app(database_url: str, clock: Clock | None = None) -> Spikard:
    """The service, over a database and a clock of its own."""
    app = Spikard()
    machine = build_machine()
    store = create_state_store(database_url)
    orders = Orchestrator(
        machine, store, scheduler=AsyncioScheduler(clock=clock), clock=clock or FsmClock(), event_store=store
    )

    @app.on_startup
    async def open_store() -> None:
        store.connect()

    @app.on_shutdown
    async def close_store() -> None:
        await orders.close()
        store.disconnect()

    async def shown(order_id: str) -> Order:
        state = await store.aget_state(order_id)
        if state is None:
            raise HTTPException(404, f"There is no order {order_id}")
        context = await store.aget_context(order_id)
        events = [] if machine.is_terminal(state) else machine.get_available_triggers(state)
        visible = [event for event in events if not event.startswith("_")]
        return Order(order_id, state, context["total"], visible, context.get("paid_at"))

    @app.post("/orders", status_code=201)
    async def buy(body: Basket) -> Order:
        """Put something into a new basket and go to the till."""
        order_id = uuid4().hex
        refuse(await orders.async_process_event(order_id, Event("checkout", {"total": body.total})))
        return await shown(order_id)

    @app.get("/orders/{order_id}")
    async def show(order_id: str) -> Order:
        """Where an order is."""
        return await shown(order_id)

    @app.post("/orders/{order_id}/{event}")
    async def send(order_id: str, event: str, body: dict[str, Any] | None = None) -> Order:
        """Let something happen to an order."""
        await shown(order_id)
        refuse(await orders.async_process_event(order_id, Event(event, body or {})))
        return await shown(order_id)

    return app


def refuse(result: TransitionResult) -> None:
    """Tell the client why an event was refused."""
    if isinstance(result.error, UndefinedTriggerError):
        raise HTTPException(404, result.error.message)
    if result.error is not None:
        raise HTTPException(409, result.error.message)


app = create_app(os.environ.get("ORDERS_DATABASE", "sqlite:///orders.db"))

if __name__ == "__main__":
    app.run()
