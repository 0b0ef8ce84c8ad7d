"""Which handler answers which request, and what is answered where there is none."""

import pytest

from spikard import PlainTextResponse, Request, Response, Spikard
from tests.conftest import Serve


def problem(response, status: int, kind: str) -> dict:
    assert response.status_code == status
    assert response.headers["content-type"] == "application/problem+json"
    document = response.json()
    assert document["status"] == status
    assert document["type"].endswith("/" + kind)
    return document


@pytest.fixture
def app() -> Spikard:
    app = Spikard()

    @app.get("/")
    async def root() -> dict:
        return {"at": "root"}

    @app.get("/items")
    async def items() -> dict:
        return {"at": "items"}

    @app.post("/items")
    def make() -> tuple:
        return {"at": "make"}, 201

    @app.get("/items/{item_id}")
    async def item(item_id: str) -> dict:
        return {"item": item_id}

    @app.get("/items/new")
    async def new() -> dict:
        return {"at": "new"}

    @app.get("/files/{path:path}")
    async def files(path: str) -> dict:
        return {"path": path}

    @app.get("/a/b/{x}/d")
    async def deep(x: str) -> dict:
        return {"x": x}

    @app.get("/a/{y}/c/e")
    async def other(y: str) -> dict:
        return {"y": y}

    return app


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/", {"at": "root"}),
        ("/items", {"at": "items"}),
        ("/items/7", {"item": "7"}),
        ("/items/new", {"at": "new"}),
        ("/items/a%2Fb", {"item": "a/b"}),
        ("/items/gr%C3%BCn%20x", {"item": "grün x"}),
        ("/files/a/b/c.txt", {"path": "a/b/c.txt"}),
        ("/files/a//b", {"path": "a//b"}),
        ("/a/b/c/d", {"x": "c"}),
        ("/a/b/c/e", {"y": "b"}),
    ],
)
def test_the_most_specific_route_answers(serve: Serve, app: Spikard, path: str, answer: dict) -> None:
    assert serve(app).client.get(path).json() == answer


def test_methods_of_one_path_are_apart(serve: Serve, app: Spikard) -> None:
    response = serve(app).client.post("/items")
    assert (response.status_code, response.json()) == (201, {"at": "make"})


@pytest.mark.parametrize("path", ["/nope", "/items/", "/items/1/2", "//items", "/Items"])
def test_an_unknown_path_is_a_404_problem(serve: Serve, app: Spikard, path: str) -> None:
    served = serve(app)
    document = problem(served.client.get(served.url + path), 404, "not-found")
    assert document["title"] == "Not Found"
    assert document["detail"] == f"No route matches GET {path}"


def test_a_long_path_is_cut_in_the_problem(serve: Serve, app: Spikard) -> None:
    document = problem(serve(app).client.get("/nope/" + "x" * 500), 404, "not-found")
    assert len(document["detail"]) < 230


def test_another_method_is_a_405_with_what_is_allowed(serve: Serve, app: Spikard) -> None:
    client = serve(app).client
    response = client.delete("/items")
    problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"
    response = client.request("TRACE", "/")
    problem(response, 405, "method-not-allowed")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS"


def test_options_are_answered_by_the_server(serve: Serve, app: Spikard) -> None:
    response = serve(app).client.options("/items")
    assert (response.status_code, response.content) == (204, b"")
    assert response.headers["allow"] == "GET, HEAD, OPTIONS, POST"


def test_head_runs_the_get_handler_and_sends_no_body(serve: Serve, app: Spikard) -> None:
    client = serve(app).client
    expected = client.get("/items")
    response = client.head("/items")
    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == str(len(expected.content))
    assert response.headers["content-type"] == "application/json"


def test_own_head_and_options_handlers_win(serve: Serve) -> None:
    app = Spikard()

    @app.get("/x")
    async def get() -> dict:
        return {}

    @app.head("/x")
    async def head() -> Response:
        return Response(headers={"x-own": "head", "content-length": "85"})

    @app.options("/x")
    async def options() -> Response:
        return Response(status_code=204, headers={"x-own": "options"})

    client = serve(app).client
    response = client.head("/x")
    assert (response.headers["x-own"], response.headers["content-length"]) == ("head", "85")
    assert client.options("/x").headers["x-own"] == "options"


def test_a_route_for_several_methods(serve: Serve) -> None:
    app = Spikard()

    @app.route("/x", methods=["get", "PUT"])
    async def handler(request: Request) -> dict:
        return {"method": request.method}

    client = serve(app).client
    assert client.get("/x").json() == {"method": "GET"}
    assert client.put("/x").json() == {"method": "PUT"}
    assert client.post("/x").headers["allow"] == "GET, HEAD, OPTIONS, PUT"


@pytest.mark.parametrize("path", ["/items/%00", "/items/%ff", "/items/%C3%28"])
def test_an_undecodable_path_is_a_400(serve: Serve, app: Spikard, path: str) -> None:
    assert serve(app).client.get(path).status_code == 400


def test_slashes_are_redirected_when_asked_for(serve: Serve) -> None:
    app = Spikard()
    app.config = app.config.copy(redirect_slashes=True)

    @app.get("/x")
    @app.post("/x")
    async def handler() -> str:
        return "x"

    client = serve(app).client
    response = client.get("/x/?a=1&b=%20")
    assert response.status_code == 307
    assert response.headers["location"].endswith("/x?a=1&b=%20")
    assert client.post("/x/").status_code == 308


def test_the_request_knows_where_it_came_from(serve: Serve) -> None:
    app = Spikard()

    @app.get("/r/{name}")
    async def handler(request: Request) -> dict:
        return {
            "method": request.method,
            "path": request.path,
            "raw": request.raw_path.decode(),
            "query": request.query_string,
            "params": request.path_params,
            "q": request.query_params.getlist("q"),
            "header": request.headers["X-Thing"],
            "cookie": request.cookies,
            "client": request.client[0],
            "scheme": request.scheme,
            "host": request.host,
            "version": request.http_version,
            "same_app": request.app is app,
            "route": request.route.path,
            "url": request.url,
        }

    served = serve(app)
    answer = served.client.get("/r/a%20b?q=1&q=2", headers={"x-thing": "t", "cookie": "a=1; b=2; a=3"}).json()
    assert answer == {
        "method": "GET",
        "path": "/r/a b",
        "raw": "/r/a%20b",
        "query": "q=1&q=2",
        "params": {"name": "a b"},
        "q": ["1", "2"],
        "header": "t",
        "cookie": {"a": "3", "b": "2"},
        "client": "127.0.0.1",
        "scheme": "http",
        "host": f"127.0.0.1:{served.port}",
        "version": "1.1",
        "same_app": True,
        "route": "/r/{name}",
        "url": f"{served.url}/r/a%20b?q=1&q=2",
    }


def test_several_requests_on_one_connection(serve: Serve, app: Spikard) -> None:
    data = b"GET /items HTTP/1.1\r\nhost: x\r\n\r\n" * 20 + b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    answer = serve(app).exchange(data)
    assert answer.count(b"HTTP/1.1 200 OK") == 21
    assert answer.endswith(b'{"at":"root"}')


def test_callables_of_every_kind_are_handlers(serve: Serve) -> None:
    import functools

    app = Spikard()

    class Thing:
        async def method(self, n: int) -> int:
            return n + 1

        def __call__(self, n: int) -> int:
            return n + 2

    async def add(a: int, n: int) -> int:
        return a + n

    app.get("/method/{n}")(Thing().method)
    app.get("/call/{n}")(Thing())
    app.get("/partial/{n}")(functools.partial(add, 10))
    client = serve(app).client
    assert client.get("/method/1").json() == 2
    assert client.get("/call/1").json() == 3
    assert client.get("/partial/1").json() == 11


def test_sync_handlers_run_beside_each_other(serve: Serve) -> None:
    import threading

    app = Spikard()
    both = threading.Barrier(2, timeout=10)

    @app.get("/meet")
    def meet() -> str:
        both.wait()
        return threading.current_thread().name

    @app.get("/inline", inline=True)
    def inline() -> int:
        return threading.get_ident()

    @app.get("/loop")
    async def loop() -> int:
        return threading.get_ident()

    served = serve(app)
    names: list[str] = []
    threads = [threading.Thread(target=lambda: names.append(served.client.get("/meet").json())) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(names)) == 2
    assert served.client.get("/inline").json() == served.client.get("/loop").json()


def test_a_plain_text_answer(serve: Serve) -> None:
    app = Spikard()

    @app.get("/")
    async def hello() -> PlainTextResponse:
        return PlainTextResponse("hello")

    response = serve(app).client.get("/")
    assert (response.text, response.headers["content-type"]) == ("hello", "text/plain; charset=utf-8")
