"""What an exception becomes: an answer for the client, a record for the log."""

import inspect
import json
import logging
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from spikard._spikard import Request, Response
from spikard.app.hooks import Conclusion
from spikard.app.mounting import call_returned
from spikard.config import ServerConfig
from spikard.errors import (
    AsgiAnswer,
    ConfigError,
    DIError,
    HTTPException,
    ProblemDetails,
    ValidationException,
    WebSocketDisconnect,
)
from spikard.responses.problem import dependency_problem, http_problem, problem_response, validation_problem

H = TypeVar("H", bound=Callable[..., Any])
FaultHandler = Callable[[Request, BaseException], Any]

logger = logging.getLogger("spikard.error")

# What has an answer of its own when no handler is registered.
KNOWN = (HTTPException, ValidationException, ProblemDetails)

EXCEPTION_NAMES = frozenset({"e", "err", "error", "exc", "exception", "fault"})


class FaultHandling:
    """The part of an application that deals with exceptions; native code calls it, on slow paths only."""

    debug: bool
    config: ServerConfig

    def __init__(self) -> None:
        # What answers pass where no route is known, and by the identity of the route; set when a server starts.
        self._conclusion: Conclusion | None = None
        self._conclusions: dict[int, Conclusion] = {}
        self._exception_handlers: dict[type[BaseException], FaultHandler] = {}
        self._status_handlers: dict[int, FaultHandler] = {}
        # Called with every unexpected exception; the test client listens here.
        self._fault_listeners: list[Callable[[BaseException], None]] = []

    def exception_handler(self, exc_or_status: type[BaseException] | int) -> Callable[[H], H]:
        """Answer an exception class (and those derived from it), or a status of the framework's own, with a function.

        The function gets `(request, exc)`, or only `exc`, and gives what a handler may give.

            @app.exception_handler(OrderClosed)
            async def closed(request: Request, exc: OrderClosed) -> Response:
                return JSONResponse({"order": exc.order_id}, status_code=409)
        """
        if isinstance(exc_or_status, int):
            if not 400 <= exc_or_status <= 599:
                msg = f"exception_handler takes a status from 400 to 599, not {exc_or_status}"
                raise ConfigError(msg)
        elif not (isinstance(exc_or_status, type) and issubclass(exc_or_status, BaseException)):
            msg = f"exception_handler takes an exception class or a status, not {exc_or_status!r}"
            raise ConfigError(msg)

        def register(handler: H) -> H:
            normalised = _normalised(handler)
            if isinstance(exc_or_status, int):
                self._status_handlers[exc_or_status] = normalised
            else:
                self._exception_handlers[exc_or_status] = normalised
            return handler

        return register

    async def answer_to(self, exc: Exception, request: Request) -> Response:
        """The answer to an exception of a handler or a hook."""
        answered = self._answer(exc, request)
        if inspect.isawaitable(answered):
            answered = await answered
        return self._internal_error(exc, request) if answered is None else answered

    def _handle_exception(self, exc: Exception, request: Request) -> Response | Awaitable[Response] | None:
        """The answer to an exception that no hooks have seen; None for the opaque 500."""
        return self._answer(exc, request) if self._conclusion is None else self._answer_concluded(exc, request)

    def _handle_status(self, response: Response, request: Request) -> Response | Awaitable[Response] | None:
        """What becomes of an answer of the framework's own; None leaves it as it is."""
        handler = self._status_handlers.get(response.status_code)
        if self._conclusion is not None:
            return self._revised(handler, response, request)
        return None if handler is None else self._answered(handler, _from_problem(response), request)

    def _watched_answers(self) -> tuple[list[int], bool, bool]:
        """Which answers of the framework's own come to `_handle_status`: by status, all faults, all."""
        conclusions = [conclusion for conclusion in (self._conclusion, *self._conclusions.values()) if conclusion]
        return (
            list(self._status_handlers),
            any(conclusion.on_error for conclusion in conclusions),
            any(conclusion.on_response for conclusion in conclusions),
        )

    def _conclusion_of(self, request: Request) -> Conclusion | None:
        return self._conclusions.get(id(request.route), self._conclusion)

    async def _answer_concluded(self, exc: Exception, request: Request) -> Response:
        response = await self.answer_to(exc, request)
        conclude = self._conclusion_of(request)
        cause = None if isinstance(exc, AsgiAnswer) else exc
        return response if conclude is None else await conclude(response, request, cause)

    async def _revised(self, handler: FaultHandler | None, response: Response, request: Request) -> Response:
        if handler is not None:
            answered = self._answered(handler, _from_problem(response), request)
            response = await answered if inspect.isawaitable(answered) else answered
        conclude = self._conclusion_of(request)
        return response if conclude is None else await conclude(response, request, refused=True)

    def _answer(self, exc: Exception, request: Request) -> Response | Awaitable[Response] | None:
        """The answer to an exception; None for the opaque 500."""
        if isinstance(exc, WebSocketDisconnect):
            # A handler that went on until its client was gone is done, not broken.
            return Response(status_code=204)
        if isinstance(exc, AsgiAnswer):
            return call_returned(exc.app, request)
        if isinstance(exc, HTTPException) and (by_status := self._status_handlers.get(exc.status_code)):
            return self._answered(by_status, exc, request, exc.status_code)
        for cls in type(exc).__mro__:
            if (handler := self._exception_handlers.get(cls)) is not None:
                return self._answered(handler, exc, request, _status_of(exc))
            if cls in KNOWN and isinstance(exc, KNOWN):
                return self._problem(exc)
        self._log_unexpected(exc, request)
        if (by_status := self._status_handlers.get(500)) is not None:
            return self._answered(by_status, exc, request, 500)
        if isinstance(exc, DIError):
            return dependency_problem(exc, self.config.problem_base_url, request.request_id, debug=self.debug)
        return self._internal_error(exc, request) if self.debug else None

    def _log_event(self, level: int, message: str, request_id: str | None) -> None:
        """A line the native side wants in the log."""
        text = f"{message} [request {request_id}]" if request_id else message
        logger.log(level, "%s", text, extra={"request_id": request_id})

    def _problem(self, exc: HTTPException | ValidationException | ProblemDetails) -> Response:
        base = self.config.problem_base_url
        if isinstance(exc, ValidationException):
            return validation_problem(exc, base)
        return http_problem(exc, base) if isinstance(exc, HTTPException) else problem_response(exc)

    def _answered(
        self, handler: FaultHandler, exc: BaseException, request: Request, status: int | None = None
    ) -> Response | Awaitable[Response]:
        status = _status_of(exc) if status is None else status
        try:
            result = handler(request, exc)
        except Exception as second:  # noqa: BLE001 - whatever a user's function raises
            return self._second_fault(second, request)
        if inspect.isawaitable(result):
            return self._answered_later(result, request, status)
        return self._as_response(result, status)

    async def _answered_later(self, result: Awaitable[Any], request: Request, status: int) -> Response:
        try:
            return self._as_response(await result, status)
        except Exception as second:  # noqa: BLE001 - whatever a user's function raises
            return self._second_fault(second, request)

    def _second_fault(self, exc: Exception, request: Request) -> Response:
        """The answer when an exception handler fails itself: its own problem, or the opaque 500."""
        if isinstance(exc, KNOWN):
            return self._problem(exc)
        self._log_unexpected(exc, request)
        return self._internal_error(exc, request)

    def _as_response(self, result: Any, status: int) -> Response:
        if isinstance(result, Response):
            return result
        if isinstance(result, ProblemDetails):
            return problem_response(result)
        if isinstance(result, tuple) and len(result) in {2, 3} and isinstance(result[1], int):
            return Response(result[0], result[1], result[2] if len(result) == 3 else None)
        return Response(result, status)

    def _internal_error(self, exc: BaseException, request: Request) -> Response:
        """The 500 that says nothing of the cause, unless debugging."""
        members: dict[str, Any] = {"request_id": request.request_id} if request.request_id else {}
        detail = "Internal server error"
        if self.debug:
            detail = f"{type(exc).__qualname__}: {exc}"
            members |= {"exception": type(exc).__qualname__, "traceback": traceback.format_exception(exc)}
        type_uri = f"{self.config.problem_base_url}internal-server-error"
        return problem_response(ProblemDetails(type_uri, "Internal Server Error", 500, detail, extensions=members))

    def _log_unexpected(self, exc: BaseException, request: Request) -> None:
        for listener in self._fault_listeners:
            listener(exc)
        request_id = request.request_id
        logger.error(
            "%s %s failed: %s [request %s]",
            request.method,
            request.path,
            type(exc).__qualname__,
            request_id or "-",
            exc_info=(type(exc), exc, exc.__traceback__),
            extra={"request_id": request_id},
        )


def _status_of(exc: BaseException) -> int:
    if isinstance(exc, HTTPException):
        return exc.status_code
    return 422 if isinstance(exc, ValidationException) else 500


def _from_problem(response: Response) -> HTTPException:
    status = response.status_code
    try:
        problem: dict[str, Any] = json.loads(response.body)
    except ValueError:
        return HTTPException(status)
    known = {name: problem.pop(name, None) for name in ("type", "title", "detail")}
    problem.pop("status", None)
    return HTTPException(status, known["detail"], type=known["type"], title=known["title"], extra=problem or None)


def _normalised(handler: Callable[..., Any]) -> FaultHandler:
    """The handler as a function of `(request, exc)`, however many of the two it takes, in whichever order."""
    try:
        parameters = [
            parameter
            for parameter in inspect.signature(handler).parameters.values()
            if parameter.kind in {parameter.POSITIONAL_ONLY, parameter.POSITIONAL_OR_KEYWORD}
        ]
    except (TypeError, ValueError):
        return handler
    if not parameters:
        return lambda _request, _exc: handler()
    first_is_exception = _names_exception(parameters[0])
    if len(parameters) == 1:
        return (
            (lambda request, _exc: handler(request))
            if parameters[0].name == "request"
            else (lambda _request, exc: handler(exc))
        )
    return (lambda request, exc: handler(exc, request)) if first_is_exception else handler


def _names_exception(parameter: inspect.Parameter) -> bool:
    annotation = parameter.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseException):
        return True
    return parameter.name in EXCEPTION_NAMES
