"""The hooks of a case: each does what the name of its function says, and notes in the request's state that it ran."""

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any

from spikard import HTTPException, JSONResponse, Request, Response, Router

# Who the bearer tokens of the cases belong to.
TOKENS = {
    "valid-token-12345": {"user_id": "user-123", "role": "user"},
    "user-token-11111": {"user_id": "user-456", "role": "user"},
    "admin-token-67890": {"user_id": "admin-456", "role": "admin"},
}
SECURITY_HEADERS = {
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-xss-protection": "1; mode=block",
    "strict-transport-security": "max-age=31536000; includeSubDomains",
}

Hook = Mapping[str, Any]


class Behaviour:
    """What hooks remember from one request to the next, and from one phase to the next."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def log_request(self, hook: Hook, request: Request) -> None:
        request.state.request_logged = True

    def add_request_id(self, hook: Hook, request: Request) -> None:
        request.state.has_request_id = request.request_id is not None

    def append(self, hook: Hook, request: Request) -> None:
        request.state.execution_order = [*request.state.get("execution_order", []), hook["name"]]

    append_first = append_second = append_third = append

    def check_rate_limit(self, hook: Hook, request: Request) -> Response | None:
        limit = hook["config"]
        count = self.counts[hook["name"]] = self.counts.get(hook["name"], 0) + 1
        request.state.rate_limit_checked = True
        if count <= limit["max_requests"]:
            return None
        return JSONResponse(
            {"error": "Rate limit exceeded", "message": "Too many requests, please try again later"},
            429,
            {"retry-after": str(limit["window_seconds"])},
        )

    def validate_auth_token(self, hook: Hook, request: Request) -> Response | None:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in TOKENS:
            return JSONResponse({"error": "Unauthorized", "message": "Invalid or expired authentication token"}, 401)
        request.user = TOKENS[token]
        request.state.authenticated = True
        return None

    def check_admin_role(self, hook: Hook, request: Request) -> Response | None:
        if request.user["role"] != "admin":
            return JSONResponse({"error": "Forbidden", "message": "Admin role required for this endpoint"}, 403)
        request.state.authorized = True
        return None

    def rewrite(self, hook: Hook, request: Request) -> None:
        for name, value in hook["config"].items():
            setattr(request, name, value)

    def fail(self, hook: Hook, request: Request) -> None:
        raise ValueError(hook["name"])

    def refuse(self, hook: Hook, request: Request) -> None:
        raise HTTPException(hook["config"]["status"], hook["config"]["detail"])

    def record_start_time(self, hook: Hook, request: Request) -> None:
        request.state.began = time.perf_counter()

    def add_response_time(self, hook: Hook, response: Response, request: Request) -> None:
        response.headers["x-response-time"] = f"{(time.perf_counter() - request.state.began) * 1000:.3f}ms"

    def add_security_headers(self, hook: Hook, response: Response) -> None:
        response.headers.update(SECURITY_HEADERS)

    def add_headers(self, hook: Hook, response: Response) -> None:
        response.headers.update(hook["config"])

    def format_error(self, hook: Hook, response: Response, request: Request, exc: BaseException | None) -> Response:
        content = {"error": response.status_code, "cause": None if exc is None else type(exc).__name__}
        return JSONResponse(content, response.status_code, {"x-error-hook": hook["name"]})


def install(owner: Router, hooks: Mapping[str, list[Hook]]) -> None:
    """Register the hooks of a case; every second one is a coroutine function."""
    behaviour, number = Behaviour(), 0
    for phase, registered in hooks.items():
        for hook in registered:
            number += 1
            function = bound(getattr(behaviour, hook["handler"]), hook, asynchronous=number % 2 == 0)
            getattr(owner, phase)(order=hook.get("order", 0))(function)


def bound(function: Callable[..., Any], hook: Hook, *, asynchronous: bool) -> Callable[..., Any]:
    """The function with its own entry of the case, taking what is left of its parameters."""
    plain = functools.partial(function, hook)
    if not asynchronous:
        return plain

    async def later(*arguments: Any) -> Any:
        return plain(*arguments[: len(inspect.signature(plain).parameters)])

    return later
