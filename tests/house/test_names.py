"""The public names: all of the list are there, and nothing else is promised."""

import importlib
import subprocess
import sys

import pytest

import spikard

MODULES = """
background config datastructures di exceptions openapi params routing schema sse testing types websocket
""".split()
NAMES = """
Spikard App Router HttpMethod Route
get post put patch delete head options trace route sse websocket
Request Response JSONResponse HTMLResponse PlainTextResponse RedirectResponse FileResponse
StreamingResponse
EventStreamResponse SseEvent SseEventProducer WebSocket WebSocketDisconnect
Path Query Header Cookie Body Form File
HTTPException ValidationException ProblemDetails
ServerConfig CompressionConfig RateLimitConfig JwtConfig ApiKeyConfig StaticFilesConfig CorsConfig
BackgroundTasks background register_encoder register_decoder UploadFile Provide Inject
""".split()
CONFIG = """
ServerConfig CompressionConfig RateLimitConfig JwtConfig ApiKeyConfig StaticFilesConfig CorsConfig OpenApiConfig
ContactInfo LicenseInfo ServerInfo SecuritySchemeInfo BackgroundConfig RouteConfig TlsConfig
""".split()


@pytest.mark.parametrize("name", MODULES)
def test_module(name: str) -> None:
    importlib.import_module(f"spikard.{name}")


@pytest.mark.parametrize("name", NAMES)
def test_name(name: str) -> None:
    assert hasattr(spikard, name)
    assert name in spikard.__all__


@pytest.mark.parametrize("name", CONFIG)
def test_configuration(name: str) -> None:
    assert hasattr(importlib.import_module("spikard.config"), name)


def test_all_is_true_and_sorted() -> None:
    assert sorted(spikard.__all__) == list(spikard.__all__)
    assert [name for name in spikard.__all__ if not hasattr(spikard, name)] == []


def test_no_extra_is_imported_unasked() -> None:
    # A library that is merely installed costs no start-up time, and none has to be installed.
    optional = "pydantic opentelemetry attrs attr httpx httpx_sse websockets redis asyncpg uvloop orjson pytest".split()
    code = f"import sys, spikard; print([m for m in {optional!r} if m in sys.modules])"
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=20).stdout
    assert output.strip() == "[]"
