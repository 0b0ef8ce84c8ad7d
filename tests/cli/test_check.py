"""The command that looks for faults of an application."""

from pathlib import Path

import pytest

from spikard.cli.command import main

HEAD = """
from spikard import Provide, ServerConfig, Spikard
from spikard.config import JwtConfig, TlsConfig
from spikard.security import requires

def started():
    raise AssertionError("a check starts nothing")

"""
GOOD = """
app = Spikard()
app.on_startup(started)
app.provide("price", Provide(started, singleton=True))


@app.get("/teas/{name}")
async def tea(name: str, price: int) -> str:
    return name
"""


def check(tmp_path: Path, code: str) -> int:
    path = tmp_path / "shop.py"
    path.write_text(HEAD + code)
    return main(["check", f"{path}:app"])


def test_nothing_is_said_of_an_application_without_faults(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(tmp_path, GOOD) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (
            'app = Spikard()\napp.get("/{x}")(lambda: 1)',
            ["routes: shop_application.<lambda> (shop.py:10): parameter 'x'"],
        ),
        (
            'app = Spikard()\napp.get("/")(lambda: 1)\napp.get("/")(lambda: 2)',
            ["routes: GET / is registered twice"],
        ),
        (
            """
app = Spikard()
app.provide("a", Provide(lambda b: 1, depends_on=["b"]))
app.provide("b", Provide(lambda a: 1, depends_on=["a"]))
app.provide("c", Provide(lambda absent: 1, depends_on=["absent"]))
""",
            ["dependencies: ", "dependencies: "],
        ),
        (
            'app = Spikard()\napp.get("/", security=requires(roles=["till"]))(lambda: 1)',
            ["settings: the route / demands"],
        ),
        ('app = Spikard(ServerConfig(tls=TlsConfig("absent.pem", "absent.key")))', ["settings: "]),
        (
            'app = Spikard(ServerConfig(jwt_auth=JwtConfig(algorithm="RS256", public_key="no key")))',
            ["settings: JwtConfig.public_key"],
        ),
        ('app = Spikard()\napp.static("/files", "/absent/directory")', ["settings: "]),
    ],
    ids=["route", "conflict", "container", "demand", "certificate", "key", "directory"],
)
def test_each_fault_is_a_line(tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, said: list[str]) -> None:
    assert check(tmp_path, code) == 1
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == len(said), lines
    for line, start in zip(lines, said, strict=True):
        assert line.startswith(start), lines


@pytest.mark.parametrize(
    ("code", "said"),
    [("other = 1", "has no attribute"), ("raise OSError('no disk')", "cannot be imported: OSError: no disk")],
)
def test_what_is_no_application_ends_with_two(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], code: str, said: str
) -> None:
    assert check(tmp_path, code) == 2
    told = capsys.readouterr()
    assert told.out == ""
    assert said in told.err
