"""HTTP actions against a server of flesh and blood, and what they refuse to call."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from spikard.fsm import (
    ActionExecutor,
    ActionRegistry,
    ActionSpec,
    HttpActionConfig,
    async_execute_http_action,
    execute_http_action,
)
from spikard.fsm.http_call import close_connections, is_public


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.seen.append((self.command, self.path, dict(self.headers), body))  # type: ignore[attr-defined]
        status, _, rest = self.path.lstrip("/").partition("/")
        answer = b"x" * (1 << 21) if rest == "huge" else json.dumps({"ok": rest}).encode()
        if rest == "text":
            answer = b"plain"
        if rest == "empty":
            answer = b""
        self.send_response(int(status))
        if status.startswith("3"):
            self.send_header("Location", self.headers["X-To"])
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    do_GET = do_PUT = do_POST  # noqa: N815 - names of the standard library

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - a name of the standard library
        """Nothing on the console."""


class _Quiet(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing on the console: clients that go away are part of the tests."""


class _Server:
    def __init__(self) -> None:
        self._server = _Quiet(("127.0.0.1", 0), _Handler)
        self.seen: list[tuple[str, str, dict[str, str], bytes]] = []
        self._server.seen = self.seen  # type: ignore[attr-defined]
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        close_connections()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    """A server on this machine, which actions may call."""
    monkeypatch.setenv("SPIKARD_FSM_HTTP_ALLOW_PRIVATE", "1")
    running = _Server()
    yield running
    running.close()


def test_a_call_takes_the_context_along_and_brings_the_answer_back(server: _Server) -> None:
    context: dict[str, Any] = {"id": 7}
    result = execute_http_action(
        {
            "url": server.url + "/201/{{ id }}",
            "headers": {"X-Id": "n{{ id }}"},
            "body": {"n": "{{ id }}", "fixed": 1},
            "on_success": {"status_key": "status", "body_key": "answer"},
        },
        context,
        idempotency_key="entity-1-42",
    )
    assert result.success
    assert result.action_name == "_http"
    assert result.result == {"status_code": 201, "url": server.url + "/201/7"}
    assert context == {"id": 7, "status": 201, "answer": {"ok": "7"}}
    [(method, path, headers, body)] = server.seen
    assert (method, path, json.loads(body)) == ("POST", "/201/7", {"n": "7", "fixed": 1})
    assert (headers["X-Id"], headers["Content-Type"]) == ("n7", "application/json")
    assert headers["Idempotency-Key"] == "entity-1-42"


async def test_a_call_can_be_awaited(server: _Server) -> None:
    context: dict[str, Any] = {}
    params = {"url": server.url + "/200/text", "method": "get", "on_success": {"body_key": "answer"}}
    result = await async_execute_http_action(params, context)
    assert result.success
    assert context == {"answer": "plain"}
    assert server.seen[0][0] == "GET"


@pytest.mark.parametrize("status", [404, 500])
def test_failures_are_told_as_the_definition_wants(
    server: _Server, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    url = f"{server.url}/{status}/x"
    failed = execute_http_action({"url": url, "on_error": "fail"}, {})
    assert not failed.success
    assert isinstance(failed.error, OSError) is (status == 500)
    ignored = execute_http_action({"url": url, "on_error": "ignore"}, {})
    assert ignored.success
    assert ignored.result == {"error": f"HTTP status {status}", "url": url}
    assert caplog.records == []
    logged = execute_http_action({"url": url}, {})
    assert logged.success
    assert logged.result["logged"] is True
    assert str(status) in caplog.text


def test_redirects_are_followed_and_looked_at(server: _Server) -> None:
    params: dict[str, Any] = {"url": server.url + "/302/a", "headers": {"X-To": "/200/b"}, "on_error": "fail"}
    assert execute_http_action(params, {}).success
    assert [entry[0] for entry in server.seen] == ["POST", "GET"]
    params["headers"] = {"X-To": "/302/again"}
    assert "at most 3 redirects" in str(execute_http_action(params, {}).error)
    params["headers"] = {"X-To": "file:///etc/passwd"}
    assert "http and https only" in str(execute_http_action(params, {}).error)


def test_a_redirect_to_another_host_takes_no_secrets(server: _Server) -> None:
    other = server.url.replace("127.0.0.1", "localhost")
    headers = {"X-To": other + "/200/b", "Authorization": "secret", "X-Other": "1"}
    assert execute_http_action({"url": server.url + "/307/a", "headers": headers, "on_error": "fail"}, {}).success
    assert [("Authorization" in entry[2], entry[0]) for entry in server.seen] == [(True, "POST"), (False, "POST")]


def test_large_answers_are_not_read(server: _Server) -> None:
    result = execute_http_action({"url": server.url + "/200/huge", "on_error": "fail"}, {})
    assert "larger than 1048576 bytes" in str(result.error)


def test_nobody_there_is_a_failure_of_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_HTTP_ALLOW_PRIVATE", "1")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = execute_http_action({"url": f"http://127.0.0.1:{port}/", "on_error": "fail"}, {})
    assert isinstance(result.error, ConnectionError)


def test_a_server_that_says_nothing_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_HTTP_ALLOW_PRIVATE", "1")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        result = execute_http_action({"url": url, "timeout": 0.2, "on_error": "fail"}, {})
    assert isinstance(result.error, TimeoutError)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/",
        "http://localhost:8080/",
        "http://[::1]/",
        "http://10.0.0.1/",
        "http://192.168.1.1/",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0/",
        "http://2130706433/",
        "http://[::ffff:127.0.0.1]/",
    ],
)
def test_private_addresses_are_not_called(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPIKARD_FSM_HTTP_ALLOW_PRIVATE", raising=False)
    result = execute_http_action({"url": url, "on_error": "fail"}, {})
    assert not result.success
    assert "it is not a public address" in str(result.error)


@pytest.mark.parametrize(
    "url", ["file:///etc/passwd", "ftp://example.com/", "gopher://x/", "//example.com/", "nothing"]
)
def test_only_http_is_called(url: str) -> None:
    result = execute_http_action({"url": url, "on_error": "fail"}, {})
    assert "http and https only" in str(result.error)


@pytest.mark.parametrize(
    ("address", "public"),
    [
        ("8.8.8.8", True),
        ("2606:4700::1111", True),
        ("100.64.0.1", False),
        ("224.0.0.1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("::ffff:10.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("::", False),
    ],
)
def test_what_a_public_address_is(address: str, public: bool) -> None:
    assert is_public(address) is public


def test_parameters_have_defaults() -> None:
    config = HttpActionConfig.from_params({"url": "http://x"})
    assert (config.method, config.timeout, config.on_error, config.headers) == ("POST", 10.0, "log", {})
    with pytest.raises(KeyError):
        HttpActionConfig.from_params({})


def test_an_answer_without_a_body_leaves_the_key_as_it_was(server: _Server) -> None:
    context: dict[str, Any] = {"answer": "before"}
    keys = {"status_key": "status", "body_key": "answer"}
    assert execute_http_action({"url": server.url + "/200/empty", "on_success": keys}, context).success
    assert context == {"status": 200, "answer": "before"}


def test_an_unknown_way_with_errors_is_that_of_the_default(server: _Server) -> None:
    result = execute_http_action({"url": server.url + "/404/a", "on_error": "other"}, {})
    assert result.success
    assert result.result["logged"] is True


def test_a_time_limit_beside_the_call_ends_it_on_the_sync_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_HTTP_ALLOW_PRIVATE", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/"
        spec = ActionSpec(name="_http", params={"url": url, "on_error": "fail"}, timeout=0.2)
        result = ActionExecutor(ActionRegistry()).execute_action_spec(spec, {})
    assert isinstance(result.error, TimeoutError)
