"""A shop with a bit of everything a document can tell: kept in memory, new with each call of `build`."""

import datetime as dt
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Literal
from uuid import UUID, uuid5

import msgspec

from spikard import Cookie, File, Form, Header, HTTPException, PlainTextResponse, Query, Spikard, UploadFile
from spikard.config import ApiKeyConfig, OpenApiConfig, RouteConfig, ServerConfig

NAMESPACE = UUID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
KEY = "open sesame"

# The generator leaves a name out of what it writes for a choice of media types.
ONE = ["application/json"]


class Kind(Enum):
    """What is in the tin."""

    BLACK = "black"
    GREEN = "green"


class Origin(msgspec.Struct):
    """Where it grew."""

    country: Annotated[str, msgspec.Meta(min_length=2, max_length=2, pattern="^[A-Z]{2}$")]
    altitude: int | None = None


class NewTea(msgspec.Struct):
    """A tea to be put on the shelf."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    kind: Kind
    price: Decimal
    grams: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 100
    picked: dt.date | None = None
    origin: Origin | None = None
    tags: list[str] = []
    notes: dict[str, int] = {}


class Tea(NewTea, kw_only=True):
    """A tea on the shelf."""

    id: UUID
    added: dt.datetime


class Card(msgspec.Struct, tag_field="by", tag="card"):
    number: Annotated[str, msgspec.Meta(pattern="^[0-9]{4}$")]


class Cash(msgspec.Struct, tag_field="by", tag="cash"):
    currency: Literal["EUR", "CHF"]


class Receipt(msgspec.Struct):
    """What was paid, and how."""

    payment: Card | Cash
    lines: list[tuple[str, int]]


class Review(msgspec.Struct):
    """What a guest thinks."""

    stars: Annotated[int, msgspec.Meta(ge=1, le=5)]
    text: str = ""


class Seen(msgspec.Struct):
    """What came in where."""

    kinds: list[Kind]
    since: dt.datetime | None
    agent: str | None
    session: str | None


class Stored(msgspec.Struct):
    """A picture that was kept."""

    filename: str
    size: int
    caption: str


Shelf = dict[UUID, Tea]


def build() -> Spikard:
    """The application, with empty shelves."""
    app = Spikard(
        ServerConfig(
            openapi=OpenApiConfig(enabled=True, title="Tea shop"),
            api_key_auth=ApiKeyConfig(keys=[KEY], exempt=["/teas*", "/forms/*", "/seen", "/receipts"]),
        )
    )
    shelf: Shelf = {}
    add_shelf(app, shelf)
    add_forms(app)
    add_till(app, shelf)
    return app


def add_shelf(app: Spikard, shelf: Shelf) -> None:
    """What is done with teas."""

    @app.post("/teas", consumes=ONE, status_code=201, tags=["teas"])
    async def add_tea(body: NewTea) -> Tea:
        """Put one on the shelf."""
        key = uuid5(NAMESPACE, body.name)
        added = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)
        shelf[key] = Tea(id=key, added=added, **{name: getattr(body, name) for name in body.__struct_fields__})
        return shelf[key]

    @app.get("/teas", tags=["teas"])
    async def list_teas(
        kind: Kind | None = None,
        limit: Annotated[int, Query(ge=1, le=100)] = 10,
        tag: Annotated[list[str] | None, Query()] = None,
    ) -> list[Tea]:
        """Look along the shelf."""
        wanted = set(tag or ())
        fits = (tea for tea in shelf.values() if kind in (None, tea.kind) and wanted <= set(tea.tags))
        return list(fits)[:limit]

    @app.get("/teas/{tea_id:uuid}", tags=["teas"], responses={404: "There is no such tea"})
    async def read_tea(tea_id: UUID) -> Tea:
        """Take one off the shelf."""
        if tea_id not in shelf:
            raise HTTPException(404, "There is no such tea")
        return shelf[tea_id]

    @app.put("/teas/{tea_id:uuid}/reviews", consumes=ONE, tags=["teas"])
    async def review(tea_id: UUID, body: list[Review]) -> dict[str, float]:
        """Say what you think."""
        return {"stars": sum(one.stars for one in body) / len(body) if body else 0.0}

    @app.delete("/teas/{tea_id:uuid}", status_code=204, tags=["teas"])
    async def remove_tea(tea_id: UUID) -> None:
        """Drink it up."""
        shelf.pop(tea_id, None)


def add_forms(app: Spikard) -> None:
    """What is sent in other ways than as a JSON object of one type."""

    @app.post("/receipts", consumes=ONE)
    async def pay(body: Receipt) -> Receipt:
        return body

    @app.get("/seen")
    async def seen(
        kinds: Annotated[list[Kind], Query()],
        since: dt.datetime | None = None,
        x_agent: Annotated[str | None, Header()] = None,
        session: Annotated[str | None, Cookie()] = None,
    ) -> Seen:
        return Seen(kinds, since, x_agent, session)

    @app.post("/forms/review", consumes=["application/x-www-form-urlencoded"])
    async def review_form(stars: Annotated[int, Form(ge=1, le=5)], text: Annotated[str, Form()] = "") -> Review:
        return Review(stars, text)

    @app.post("/forms/picture", config=RouteConfig(max_file_size=1000))
    async def picture(file: Annotated[UploadFile, File()], caption: Annotated[str, Form()] = "") -> Stored:
        return Stored(file.filename or "", file.size, caption)


def add_till(app: Spikard, shelf: Shelf) -> None:
    """What asks for a key."""

    @app.get("/till", responses={401: "Nobody but the shopkeeper"})
    async def till() -> PlainTextResponse:
        """For the shopkeeper alone."""
        return PlainTextResponse("12.50")

    @app.get("/stock")
    async def stock() -> dict[str, Any]:
        """For the shopkeeper alone."""
        return {"teas": len(shelf)}
