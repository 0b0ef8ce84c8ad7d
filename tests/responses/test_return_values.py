"""What handlers may return, and what clients get for it."""

import collections
import dataclasses
import datetime as dt
import decimal
import enum
import math
import pathlib
import uuid
from typing import Any, NamedTuple

import attrs
import msgspec
import pydantic
import pytest

from spikard import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response, Spikard
from tests.conftest import Serve

JSON = "application/json"


class Colour(enum.Enum):
    RED = "red"


class Point(msgspec.Struct):
    x: int
    y: float


@dataclasses.dataclass
class PointData:
    x: int
    y: float


class PointModel(pydantic.BaseModel):
    x: int
    y: float


class PointTuple(NamedTuple):
    x: int
    y: float


@attrs.define
class PointAttrs:
    x: int
    y: float


ID = uuid.UUID("12345678-1234-5678-1234-567812345678")


def returning(value: Any, *, sync: bool = False, **options: Any) -> Spikard:
    app = Spikard()
    if sync:

        @app.get("/", **options)
        def handler():
            return value
    else:

        @app.get("/", **options)
        async def handler():
            return value

    return app


@pytest.mark.parametrize(
    ("value", "body"),
    [
        ({"b": 1, "a": [1, None, True, False, "x", 1.5]}, b'{"b":1,"a":[1,null,true,false,"x",1.5]}'),
        ([1, {"x": []}], b'[1,{"x":[]}]'),
        ((1, 2, 3, 4), b"[1,2,3,4]"),
        ((1, 2), b"[1,2]"),
        ("hi", b'"hi"'),
        ('grün \u2028 " \\ \n \x00', '"grün \u2028 \\" \\\\ \\n \\u0000"'.encode()),
        (None, b"null"),
        (3, b"3"),
        (2**63 - 1, b"9223372036854775807"),
        (2**70, str(2**70).encode()),
        (-(2**70), str(-(2**70)).encode()),
        (1.5, b"1.5"),
        (-0.0, b"-0.0"),
        (True, b"true"),
        (decimal.Decimal("1.10"), b'"1.10"'),
        (dt.datetime(2024, 1, 2, 3, 4, 5, tzinfo=dt.UTC), b'"2024-01-02T03:04:05Z"'),
        (dt.date(2024, 1, 2), b'"2024-01-02"'),
        (ID, f'"{ID}"'.encode()),
        (Colour.RED, b'"red"'),
        (Point(1, 2.5), b'{"x":1,"y":2.5}'),
        (PointData(1, 2.5), b'{"x":1,"y":2.5}'),
        (PointModel(x=1, y=2.5), b'{"x":1,"y":2.5}'),
        (PointAttrs(1, 2.5), b'{"x":1,"y":2.5}'),
        ([PointData(1, 2.5), PointModel(x=3, y=4)], b'[{"x":1,"y":2.5},{"x":3,"y":4.0}]'),
        (
            {"id": ID, "raw": b"\x00\xff", "when": dt.date(2024, 1, 2)},
            f'{{"id":"{ID}","raw":"AP8=","when":"2024-01-02"}}'.encode(),
        ),
        ({1: "int key"}, b'{"1":"int key"}'),
        (collections.OrderedDict(z=1, a=2), b'{"z":1,"a":2}'),
        ({"set": frozenset([1])}, b'{"set":[1]}'),
        ({"path": pathlib.PurePosixPath("a/b")}, b'{"path":"a/b"}'),
        ({"x" * 100: "y" * 10_000}, ('{"' + "x" * 100 + '":"' + "y" * 10_000 + '"}').encode()),
    ],
    ids=lambda value: type(value).__name__,
)
@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
def test_values_become_json(serve: Serve, value: Any, body: bytes, sync: bool) -> None:
    client = serve(returning(value, sync=sync)).client
    response = client.get("/", headers={"accept-encoding": "identity"})
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == JSON
    assert response.content == body
    assert response.headers["content-length"] == str(len(body))


@pytest.mark.parametrize(
    "value", [b"\x00\xff", bytearray(b"\x00\xff"), memoryview(b"\x00\xff")], ids=lambda v: type(v).__name__
)
def test_bytes_are_sent_as_they_are(serve: Serve, value: Any) -> None:
    response = serve(returning(value)).client.get("/")
    assert (response.content, response.headers["content-type"]) == (b"\x00\xff", "application/octet-stream")


def test_a_pair_is_content_and_status(serve: Serve) -> None:
    response = serve(returning(({"a": 1}, 201))).client.get("/")
    assert (response.status_code, response.json()) == (201, {"a": 1})


def test_a_triple_has_headers(serve: Serve) -> None:
    response = serve(returning(("text", 202, {"X-A": "b", "Content-Type": "text/plain"}))).client.get("/")
    assert (response.status_code, response.headers["x-a"]) == (202, "b")
    assert response.headers["content-type"] == "text/plain"


@pytest.mark.parametrize("value", [(1, 2, 3), (1, 200, 3), (1, 99), (1, True), (1, "200")], ids=str)
def test_other_tuples_are_arrays(serve: Serve, value: tuple) -> None:
    response = serve(returning(value)).client.get("/")
    assert (response.status_code, response.json()) == (200, list(value))


def test_a_named_tuple_is_not_a_pair(serve: Serve) -> None:
    assert serve(returning(PointTuple(1, 200))).client.get("/").status_code == 200


def test_the_status_of_the_route(serve: Serve) -> None:
    response = serve(returning({"a": 1}, status_code=201)).client.get("/")
    assert (response.status_code, response.json()) == (201, {"a": 1})


@pytest.mark.parametrize("value", [None, {"ignored": 1}])
def test_no_body_with_204(serve: Serve, value: Any) -> None:
    response = serve(returning(value, status_code=204)).client.get("/")
    assert (response.status_code, response.content) == (204, b"")
    assert "content-type" not in response.headers


@pytest.mark.parametrize(
    "value",
    [math.nan, math.inf, {"a": [-math.inf]}, object(), {"a": object()}],
    ids=["nan", "infinity", "nested infinity", "object", "nested object"],
)
def test_what_has_no_json_is_a_500_with_a_log_line(serve: Serve, caplog: pytest.LogCaptureFixture, value: Any) -> None:
    response = serve(returning(value)).client.get("/")
    assert response.status_code == 500
    assert response.headers["content-type"] == "application/problem+json"
    assert [record.levelname for record in caplog.records if record.name == "spikard.error"] == ["ERROR"]


class TestResponses:
    @pytest.mark.parametrize(
        ("response", "status", "media_type", "body"),
        [
            (Response(), 200, None, b""),
            (Response({"a": 1}, 201), 201, JSON, b'{"a":1}'),
            (Response("foo bar"), 200, JSON, b'"foo bar"'),
            (Response("text", headers={"Content-Type": "text/csv"}), 200, "text/csv", b"text"),
            (Response("text", media_type="text/csv"), 200, "text/csv", b"text"),
            (Response("x", headers={"content-TYPE": "application/json; v=1"}), 200, "application/json; v=1", b'"x"'),
            (Response(b"\x00"), 200, "application/octet-stream", b"\x00"),
            (Response(b"{}", media_type=JSON), 200, JSON, b"{}"),
            (Response({"a": 1}, media_type="application/hal+json"), 200, "application/hal+json", b'{"a":1}'),
            (JSONResponse(None), 200, JSON, b"null"),
            (JSONResponse("x", 202), 202, JSON, b'"x"'),
            (HTMLResponse("<p>ü</p>"), 200, "text/html; charset=utf-8", "<p>ü</p>".encode()),
            (PlainTextResponse("ü", headers={"content-type": "text/x"}), 200, "text/x", "ü".encode()),
            (RedirectResponse("/a b?c=d%20"), 307, None, b""),
            (Response(status_code=204), 204, None, b""),
            (Response("ignored", 304), 304, None, b""),
        ],
    )
    def test_content_becomes_a_body(self, serve: Serve, response, status, media_type, body) -> None:
        assert response.body == body or status == 304
        answer = serve(returning(response)).client.get("/")
        assert (answer.status_code, answer.headers.get("content-type"), answer.content) == (status, media_type, body)

    def test_redirects_are_escaped(self, serve: Serve) -> None:
        answer = serve(returning(RedirectResponse("/a b/ü?c=d%20"))).client.get("/")
        assert answer.headers["location"] == "/a%20b/%C3%BC?c=d%20"

    def test_headers_and_cookies(self, serve: Serve) -> None:
        response = Response({"a": 1}, headers={"X-One": "1"})
        response.headers["X-Two"] = "2"
        response.headers.add("X-Two", "3")
        response.set_cookie("a", "b c", max_age=10, httponly=True, secure=True, samesite="strict")
        response.set_cookie("d", "e")
        response.delete_cookie("f")
        answer = serve(returning(response)).client.get("/")
        assert answer.headers["x-one"] == "1"
        assert answer.headers.get_list("x-two") == ["2", "3"]
        first, second, third = answer.headers.get_list("set-cookie")
        assert first.startswith("a=")
        assert {"Max-Age=10", "HttpOnly", "Secure", "SameSite=Strict"} <= set(first.split("; "))
        assert second == "d=e; Path=/; SameSite=Lax"
        assert third.startswith("f=")
        assert "Max-Age=0" in third.split("; ")

    @pytest.mark.parametrize("value", ["a\r\nb: c", "a\nb", "a\x00b"])
    def test_headers_cannot_be_split(self, value: str) -> None:
        with pytest.raises(ValueError, match="cannot carry"):
            Response(headers={"x": value})
        with pytest.raises(ValueError, match="cannot carry"):
            Response().headers["x"] = value
        with pytest.raises(ValueError, match="not a header name"):
            Response().headers[value] = "x"

    def test_cookies_are_checked(self) -> None:
        for arguments in ({"key": "a b"}, {"key": "a", "samesite": "odd"}, {"key": "a", "samesite": "none"}):
            with pytest.raises(ValueError, match=r"cookie name|samesite"):
                Response().set_cookie(**arguments)

    def test_a_status_is_checked(self) -> None:
        with pytest.raises(ValueError, match="600"):
            Response(status_code=600)

    def test_a_false_length_is_replaced(self, serve: Serve) -> None:
        answer = serve(returning(Response("abc", headers={"content-length": "99"}))).client.get("/")
        assert answer.headers["content-length"] == "5"

    def test_a_response_class_wraps_what_is_returned(self, serve: Serve) -> None:
        app = Spikard()

        @app.get("/option", response_class=PlainTextResponse)
        async def option():
            return "plain"

        @app.get("/annotation", status_code=201)
        async def annotation() -> HTMLResponse:
            return "<p>"

        client = serve(app).client
        assert client.get("/option").text == "plain"
        response = client.get("/annotation")
        assert (response.status_code, response.text) == (201, "<p>")
        assert response.headers["content-type"] == "text/html; charset=utf-8"
