"""What clients and the log get to see of exceptions."""

import asyncio
import logging

import pytest

from spikard import HTTPException, JSONResponse, ProblemDetails, Request, Response, Spikard, ValidationException
from tests.conftest import Serve


class OrderClosed(Exception):  # noqa: N818 - an application's own taste
    """Something of the application's own."""


class OrderLost(OrderClosed):
    """More special."""


def raising(exc: BaseException, *, sync: bool = False, app: Spikard | None = None) -> Spikard:
    app = app or Spikard()
    if sync:

        @app.get("/")
        def handler() -> None:
            raise exc
    else:

        @app.get("/")
        async def handler() -> None:
            raise exc

    @app.get("/late")
    async def late() -> None:
        await asyncio.sleep(0)
        raise exc

    return app


@pytest.mark.parametrize("sync", [False, True], ids=["async", "sync"])
def test_an_unexpected_exception_is_an_opaque_500_and_a_log_record(
    serve: Serve, caplog: pytest.LogCaptureFixture, sync: bool
) -> None:
    client = serve(raising(KeyError("secret-text"), sync=sync)).client
    for path in ("/", "/late"):
        caplog.clear()
        response = client.get(path, headers={"x-request-id": "id-42"})
        assert response.status_code == 500
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["cache-control"] == "no-store"
        assert response.json() == {
            "type": "https://spikard.dev/errors/internal-server-error",
            "title": "Internal Server Error",
            "status": 500,
            "detail": "Internal server error",
            "request_id": "id-42",
        }
        (record,) = [record for record in caplog.records if record.name == "spikard.error"]
        assert record.levelno == logging.ERROR
        assert record.request_id == "id-42"
        assert "id-42" in record.getMessage()
        assert record.exc_info[0] is KeyError
        assert "raise exc" in caplog.text


def test_debug_shows_the_exception(serve: Serve) -> None:
    response = serve(raising(ValueError("the reason"), app=Spikard(debug=True))).client.get("/")
    assert response.status_code == 500
    document = response.json()
    assert document["detail"] == "ValueError: the reason"
    assert any("raise exc" in line for line in document["traceback"])


@pytest.mark.parametrize(
    ("exc", "status", "document"),
    [
        (
            HTTPException(404, "No such order"),
            404,
            {"type": "https://spikard.dev/errors/not-found", "title": "Not Found", "detail": "No such order"},
        ),
        (
            HTTPException(418, {"left": 3}, title="Tea", type="urn:tea", extra={"more": [1]}),
            418,
            {"type": "urn:tea", "title": "Tea", "left": 3, "more": [1]},
        ),
        (
            ProblemDetails("urn:x", "Odd", 409, "why", instance="/orders/1", extensions={"n": 1}),
            409,
            {"type": "urn:x", "title": "Odd", "detail": "why", "instance": "/orders/1", "n": 1},
        ),
        (
            ValidationException([{"type": "value_error", "loc": ["body", "a"], "msg": "no"}]),
            422,
            {
                "type": "https://spikard.dev/errors/validation-error",
                "title": "Request Validation Failed",
                "detail": "1 validation error in request",
                "errors": [{"type": "value_error", "loc": ["body", "a"], "msg": "no"}],
            },
        ),
    ],
    ids=["http", "http-detail", "problem", "validation"],
)
def test_exceptions_with_an_answer_of_their_own(serve: Serve, caplog, exc, status, document) -> None:
    client = serve(raising(exc)).client
    for path in ("/", "/late"):
        response = client.get(path)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json() == {"status": status, **document}
    assert not [record for record in caplog.records if record.name == "spikard.error"]


def test_headers_of_an_http_exception_are_sent(serve: Serve) -> None:
    response = serve(raising(HTTPException(401, headers={"WWW-Authenticate": "Basic"}))).client.get("/")
    assert (response.status_code, response.headers["www-authenticate"]) == (401, "Basic")
    assert response.headers["cache-control"] == "no-store"


def test_a_problem_may_be_returned(serve: Serve) -> None:
    app = Spikard()

    @app.get("/")
    async def handler() -> ProblemDetails:
        return ProblemDetails("urn:x", "Odd", 409)

    response = serve(app).client.get("/")
    assert (response.status_code, response.json()["type"]) == (409, "urn:x")
    assert response.headers["content-type"] == "application/problem+json"


class TestExceptionHandlers:
    def test_the_nearest_class_wins(self, serve: Serve, caplog) -> None:
        app = raising(OrderLost("x"))

        @app.exception_handler(OrderClosed)
        def closed(request: Request, exc: OrderClosed) -> Response:
            return JSONResponse({"handled": type(exc).__name__, "path": request.path}, status_code=409)

        @app.exception_handler(Exception)
        def all_others(exc: Exception) -> dict:
            return {"handled": "any"}

        client = serve(app).client
        response = client.get("/")
        assert (response.status_code, response.json()) == (409, {"handled": "OrderLost", "path": "/"})
        assert client.get("/late").status_code == 409
        assert not caplog.records

    def test_async_handlers_are_awaited(self, serve: Serve) -> None:
        app = raising(OrderClosed())

        @app.exception_handler(OrderClosed)
        async def closed(request: Request, exc: OrderClosed) -> dict:
            await asyncio.sleep(0)
            return {"handled": True}

        response = serve(app).client.get("/")
        assert (response.status_code, response.json()) == (500, {"handled": True})

    def test_a_general_handler_leaves_http_exceptions_alone(self, serve: Serve) -> None:
        app = raising(HTTPException(404))

        @app.exception_handler(Exception)
        def all_others(request: Request, exc: Exception) -> tuple:
            return {"handled": "any"}, 503

        assert serve(app).client.get("/").status_code == 404

    def test_a_handler_for_http_exceptions(self, serve: Serve) -> None:
        app = raising(HTTPException(402, "pay"))

        @app.exception_handler(HTTPException)
        def http(exc: HTTPException) -> dict:
            return {"detail": exc.detail}

        response = serve(app).client.get("/")
        assert (response.status_code, response.json()) == (402, {"detail": "pay"})

    def test_a_failing_handler_is_logged_and_opaque(self, serve: Serve, caplog) -> None:
        app = raising(OrderClosed())

        @app.exception_handler(OrderClosed)
        async def closed(request: Request, exc: OrderClosed) -> Response:
            raise RuntimeError("second")

        response = serve(app).client.get("/")
        assert response.status_code == 500
        assert response.json()["detail"] == "Internal server error"
        assert "RuntimeError: second" in caplog.text

    def test_statuses_of_the_framework(self, serve: Serve) -> None:
        app = raising(HTTPException(404, "from the handler"))

        @app.exception_handler(404)
        async def missing(request: Request, exc: HTTPException) -> tuple:
            return {"missing": request.path, "detail": exc.detail}, 404, {"x-own": "yes"}

        @app.exception_handler(405)
        def wrong(request: Request) -> Response:
            return Response("no", 405, media_type="text/plain")

        client = serve(app).client
        response = client.get("/nope")
        assert response.status_code == 404
        assert response.json() == {"missing": "/nope", "detail": "No route matches GET /nope"}
        assert response.headers["x-own"] == "yes"
        assert client.get("/").json() == {"missing": "/", "detail": "from the handler"}
        response = client.post("/")
        assert (response.status_code, response.text) == (405, "no")

    def test_a_handler_for_500_sees_the_exception(self, serve: Serve, caplog) -> None:
        app = raising(KeyError("x"))

        @app.exception_handler(500)
        def internal(request: Request, exc: KeyError) -> dict:
            return {"was": type(exc).__name__}

        response = serve(app).client.get("/")
        assert (response.status_code, response.json()) == (500, {"was": "KeyError"})
        assert "KeyError" in caplog.text


def test_a_handler_that_cancels_itself_is_a_500(serve: Serve) -> None:
    client = serve(raising(asyncio.CancelledError())).client
    assert client.get("/").status_code == 500
    assert client.get("/late").status_code == 500


def test_the_server_goes_on_after_exceptions(serve: Serve) -> None:
    app = raising(ValueError())

    @app.get("/fine")
    async def fine() -> str:
        return "fine"

    client = serve(app).client
    for _ in range(50):
        assert client.get("/").status_code == 500
    assert client.get("/fine").json() == "fine"
