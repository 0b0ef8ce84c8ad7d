"""A server: what is started for one row of the table."""

from dataclasses import dataclass, field
from pathlib import Path

from spikard_bench.environment import BENCHES, Environment, ask, floor_binary

PROFILE = "from spikard import _spikard; print(_spikard.__profile__)"
# One worker each, the fastest loop and parser, no access log, and no limit on connections below the load's.
GRANIAN = (
    *("--workers", "1", "--runtime-threads", "1", "--loop", "uvloop", "--http", "1", "--no-ws"),
    *("--backlog", "20000", "--backpressure", "20000"),
    *("--no-access-log", "--log-level", "warning", "--host", "127.0.0.1", "--port", "PORT"),
)
UVICORN = (
    *("--workers", "1", "--loop", "uvloop", "--http", "httptools", "--backlog", "20000", "--timeout-keep-alive", "75"),
    *("--no-access-log", "--log-level", "warning", "--host", "127.0.0.1", "--port", "PORT"),
)

OURS_311 = Environment("ours-3.11", "3.11", "spikard", ours=True)
OURS_313 = Environment("ours-3.13", "3.13", "spikard", ours=True)
GRANIAN_ENV = Environment("granian", "3.11", "granian")
FASTAPI = Environment("fastapi", "3.11", "fastapi")
LITESTAR = Environment("litestar", "3.11", "litestar")
BLACKSHEEP = Environment("blacksheep", "3.11", "blacksheep")
ROBYN = Environment("robyn", "3.11", "robyn")
SOCKETIFY = Environment("socketify", "3.11", "socketify")
SANIC = Environment("sanic", "3.11", "sanic")
SPIKARD_0_1 = Environment("spikard-0.1.1", "3.11", "spikard")
SPIKARD_0_17 = Environment("spikard-0.17.2", "3.11", "spikard")

ENVIRONMENTS = [
    OURS_311,
    OURS_313,
    GRANIAN_ENV,
    FASTAPI,
    LITESTAR,
    BLACKSHEEP,
    ROBYN,
    SOCKETIFY,
    SANIC,
    SPIKARD_0_1,
    SPIKARD_0_17,
]


@dataclass(frozen=True)
class Server:
    """One row. `arguments` follow the interpreter; a literal `PORT` in them becomes the port."""

    name: str
    title: str
    environment: Environment | None
    arguments: tuple[str, ...] = ()
    # The only port it can listen on, for one that does not honour its configuration.
    port: int | None = None
    interpreter: Path | None = None
    remark: str = ""
    # Measured only when named: a variant of another row.
    optional: bool = False
    cannot: dict[str, str] = field(default_factory=dict)

    @property
    def ours(self) -> bool:
        return self.interpreter is not None or (self.environment is not None and self.environment.ours)

    @property
    def python(self) -> Path | None:
        if self.interpreter is not None:
            return self.interpreter
        return self.environment.interpreter if self.environment is not None else None

    def command(self, port: int) -> list[str]:
        words = [word.replace("PORT", str(port)) for word in self.arguments]
        if self.python is None:
            return [str(floor_binary()), *words]
        return [str(self.python), *words]

    def obstacle(self, allow_dev: bool = False) -> str | None:
        """Why it can't be measured now; None when it can."""
        if self.python is None:
            return None if floor_binary() else "not built (`benches/run --setup`)"
        if self.interpreter is None and self.environment is not None and not self.environment.ready:
            return self.environment.failure or "not installed (`benches/run --setup`)"
        if not self.ours:
            return None
        profile = ask(self.python, PROFILE)
        if not profile:
            return f"`import spikard` fails in {self.python}"
        if profile != "release" and not allow_dev:
            return f"its native module is of the {profile} profile: only release is measured"
        return None

    def version(self) -> str:
        """Python's and the package's version, as the table names them."""
        if self.python is None:
            return "Rust"
        python = ask(self.python, "import platform; print(platform.python_version())")
        package = self.environment.package if self.environment is not None else "spikard"
        version = ask(self.python, f"import importlib.metadata as m; print(m.version({package!r}))")
        if self.environment is not None and self.environment.revision:
            version += f" at {self.environment.revision}"
        return f"{package} {version}, Python {python}"


def script(name: str) -> tuple[str, ...]:
    return (str(BENCHES / "apps" / name), "PORT")


def granian(interface: str, target: str) -> tuple[str, ...]:
    return ("-m", "granian", "--interface", interface, *GRANIAN, target)


def ours(interpreter: Path) -> Server:
    """Ours run by an interpreter of the caller's choice."""
    return Server("ours", "**spikard**", None, script("ours.py"), interpreter=interpreter)


SERVERS = (
    Server("floor", "floor: hyper, axum + serde, no Python", None, ("PORT",)),
    Server("ours-3.13", "**spikard**, Python 3.13", OURS_313, script("ours.py")),
    Server("ours-3.11", "**spikard**, Python 3.11", OURS_311, script("ours.py")),
    Server(
        "ours-embedded",
        "**spikard** embedded in uvloop, Python 3.13",
        OURS_313,
        (*script("ours.py"), "embedded"),
        optional=True,
    ),
    Server("granian-rsgi", "granian, RSGI, no framework", GRANIAN_ENV, granian("rsgi", "granian_rsgi:app")),
    Server("fastapi-granian", "FastAPI on granian", FASTAPI, granian("asgi", "fastapi_app:app")),
    Server(
        "fastapi-uvicorn",
        "FastAPI on uvicorn[standard]",
        FASTAPI,
        ("-m", "uvicorn", *UVICORN, "fastapi_app:app"),
    ),
    Server("litestar", "Litestar on granian", LITESTAR, granian("asgi", "litestar_app:app")),
    Server("blacksheep", "BlackSheep on granian", BLACKSHEEP, granian("asgi", "blacksheep_app:app")),
    Server("robyn", "Robyn", ROBYN, (*script("robyn_app.py"), "--log-level", "WARN", "--disable-openapi")),
    Server("socketify", "socketify", SOCKETIFY, script("socketify_app.py")),
    Server("sanic", "Sanic, single process", SANIC, script("sanic_app.py")),
    Server("spikard-0.1.1", "spikard 0.1.1 of PyPI", SPIKARD_0_1, script("spikard_0_1_1.py")),
    Server(
        "spikard-0.17.2",
        "spikard 0.17.2 of PyPI",
        SPIKARD_0_17,
        script("spikard_0_17_2.py"),
        port=8000,
        remark="listens on its default port whatever its configuration says",
    ),
)
