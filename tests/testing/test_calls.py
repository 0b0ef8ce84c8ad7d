"""What a call of the client sends: bodies, forms, files, parameters, headers, cookies."""

from typing import Any

import httpx
import pytest

from spikard import Request, Spikard
from spikard.testing import MemoryClient, TestClient

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def app() -> Spikard:
    app = Spikard()

    async def echo(request: Request) -> dict[str, Any]:
        return {
            "method": request.method,
            "query": request.query_string,
            "type": request.content_type,
            "cookies": request.cookies,
            "header": request.headers.get("x-tea"),
            "body": (await request.body()).decode("latin-1"),
        }

    app.route("/", methods=["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])(echo)
    return app


async def sent(app: Spikard, method: str = "POST", **call: Any) -> dict[str, Any]:
    async with TestClient(app) as client:
        response = await client.request(method, "/", **call)
    assert isinstance(response, httpx.Response)
    found: dict[str, Any] = response.json()
    return found


async def test_json(app: Spikard) -> None:
    found = await sent(app, json={"a": [1, None]})
    assert (found["type"], found["body"]) == (JSON, '{"a":[1,null]}')


@pytest.mark.parametrize("method", ["GET", "DELETE", "OPTIONS", "PATCH"])
async def test_every_method_takes_bodies(app: Spikard, method: str) -> None:
    found = await sent(app, method, json={"a": 1})
    assert (found["method"], found["type"], found["body"]) == (method, JSON, '{"a":1}')
    assert (await sent(app, method, data={"a": "1"}))["body"] == "a=1"


async def test_forms_repeat_the_keys_of_lists(app: Spikard) -> None:
    found = await sent(app, data={"a": ["1", "2"], "b": "x y", "c": "&="})
    assert (found["type"], found["body"]) == (FORM, "a=1&a=2&b=x+y&c=%26%3D")
    pairs = await sent(app, data=[("a", "1"), ("b", "2"), ("a", "3")])
    assert (pairs["type"], pairs["body"]) == (FORM, "a=1&b=2&a=3")


@pytest.mark.parametrize("data", ["raw", b"raw"])
async def test_text_and_bytes_go_raw(app: Spikard, data: str | bytes) -> None:
    assert (await sent(app, data=data))["body"] == "raw"
    found = await sent(app, data=data, headers={"Content-Type": "text/tea"})
    assert (found["type"], found["body"]) == ("text/tea", "raw")


async def test_content_goes_raw(app: Spikard) -> None:
    assert (await sent(app, content=b"\x00\xff"))["body"] == "\x00\xff"


@pytest.mark.parametrize("body", [{"json": {"a": 1}}, {"data": {"a": "1"}}, {"data": [("a", "1")]}])
@pytest.mark.parametrize("name", ["Content-Type", "content-type"])
async def test_a_given_media_type_wins(app: Spikard, body: dict[str, Any], name: str) -> None:
    assert (await sent(app, headers={name: "application/vnd.tea+json"}, **body))["type"] == "application/vnd.tea+json"


@pytest.mark.parametrize(
    "files",
    [{"f": ("a.txt", b"tea", "text/plain")}, [("f", ("a.txt", b"tea", "text/plain"))]],
    ids=["mapping", "list"],
)
async def test_files(app: Spikard, files: Any) -> None:
    found = await sent(app, files=files, data={"note": ["x", "y"]})
    assert found["type"].startswith("multipart/form-data; boundary=")
    assert 'name="f"; filename="a.txt"\r\nContent-Type: text/plain\r\n\r\ntea\r\n' in found["body"]
    assert found["body"].count('name="note"') == 2


async def test_two_files_of_one_field(app: Spikard) -> None:
    files = [("f", ("a.txt", b"1", "text/plain")), ("f", ("b.txt", b"2", "text/plain"))]
    found = await sent(app, files=files)
    assert [name in found["body"] for name in ("a.txt", "b.txt")] == [True, True]


async def test_parameters_repeat_the_keys_of_lists(app: Spikard) -> None:
    assert (await sent(app, params={"a": [1, 2], "b": "x y"}))["query"] == "a=1&a=2&b=x+y"
    assert (await sent(app, params=[("a", "1"), ("a", "3"), ("b", "2")]))["query"] == "a=1&a=3&b=2"


async def test_a_query_in_the_path_stays(app: Spikard) -> None:
    async with TestClient(app) as client:
        assert (await client.get("/?a=1&b=%2F")).json()["query"] == "a=1&b=%2F"


async def test_the_order_of_arguments(app: Spikard) -> None:
    async with TestClient(app) as client:
        got = (await client.get("/", {"a": 1}, {"x-tea": "hot"}, {"sid": "1"})).json()
        assert (got["query"], got["header"], got["cookies"]) == ("a=1", "hot", {"sid": "1"})
        posted = (await client.post("/", {"a": 1}, None, None, {"q": 2}, {"x-tea": "cold"})).json()
        assert (posted["body"], posted["query"], posted["header"]) == ('{"a":1}', "q=2", "cold")
        assert (await client.put("/", None, {"a": "1"})).json()["body"] == "a=1"


async def test_cookies_of_the_client_and_of_the_call(app: Spikard) -> None:
    async with TestClient(app, headers={"x-tea": "always"}, cookies={"sid": "1"}) as client:
        assert (await client.get("/")).json()["cookies"] == {"sid": "1"}
        found = (await client.get("/", cookies={"more": "2"})).json()
        assert (found["cookies"], found["header"]) == ({"sid": "1", "more": "2"}, "always")


@pytest.mark.parametrize("kind", [TestClient, MemoryClient])
def test_plain_tests_call_the_same_way(app: Spikard, kind: type[TestClient]) -> None:
    with kind(app) as client:
        assert client.app is app
        assert client.state is app.state
        assert client.sync.get("/", {"a": [1, 2]}).json()["query"] == "a=1&a=2"
        assert client.sync.post("/", data={"a": ["1", "2"]}).json()["body"] == "a=1&a=2"
        assert client.sync.patch("/", json=1).json()["body"] == "1"


def test_addresses_are_known_inside_only(app: Spikard) -> None:
    client = TestClient(app)
    for name in ("base_url", "ws_url", "port"):
        with pytest.raises(RuntimeError):
            getattr(client, name)
    with client:
        assert client.base_url == f"http://127.0.0.1:{client.port}"
        assert client.ws_url == f"ws://127.0.0.1:{client.port}"
