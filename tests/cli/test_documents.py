"""The commands that print what an application says of itself."""

import json
from pathlib import Path

import pytest
import yaml

from spikard.cli.command import main

APPLICATION = '''
from spikard import Spikard

app = Spikard()


@app.get("/teas/{name}")
async def read_tea(name: str) -> str:
    """Look one up: Ceylon, Île de la Réunion."""
    return name
'''


@pytest.fixture
def target(tmp_path: Path) -> str:
    path = tmp_path / "tea_shop.py"
    path.write_text(APPLICATION, encoding="utf-8")
    return f"{path}:app"


def test_the_document_is_printed_as_json(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi", target]) == 0
    text = capsys.readouterr().out
    document = json.loads(text)
    assert document["openapi"] == "3.1.0"
    assert list(document["paths"]) == ["/teas/{name}"]
    assert "Île" in text


def test_the_document_is_printed_as_yaml(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["openapi", target, "--yaml"]) == 0
    text = capsys.readouterr().out
    assert main(["openapi", target]) == 0
    assert yaml.safe_load(text) == json.loads(capsys.readouterr().out)


def test_the_document_is_written_to_a_file(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = tmp_path / "openapi.json"
    assert main(["openapi", target, "--output", str(output)]) == 0
    assert capsys.readouterr().out == ""
    assert json.loads(output.read_text(encoding="utf-8"))["openapi"] == "3.1.0"


def test_routes_are_listed(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes", target]) == 0
    text = capsys.readouterr().out
    assert "/teas/{name}" in text
    assert "read_tea" in text


def test_streams_and_sockets_are_listed_as_what_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "tea_talk.py"
    path.write_text(
        """
from spikard import Spikard

app = Spikard()


@app.sse("/prices")
async def prices():
    yield 1


@app.websocket("/talk")
async def talk(message: str) -> str:
    return message
"""
    )
    assert main(["routes", f"{path}:app"]) == 0
    lines = [" ".join(line.replace("│", " ").split()) for line in capsys.readouterr().out.splitlines()]
    assert "GET (SSE) /prices prices" in lines
    assert "WEBSOCKET /talk talk" in lines


def test_routes_print_the_document_on_demand(target: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["routes", target, "--openapi"]) == 0
    assert json.loads(capsys.readouterr().out)["openapi"] == "3.1.0"


@pytest.mark.parametrize("command", ["openapi", "routes"])
def test_targets_that_do_not_exist_are_named(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "no_such_module_at_all:app"]) == 2
    assert "no_such_module_at_all" in capsys.readouterr().err


def test_applications_that_fail_show_why(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "broken_shop.py"
    path.write_text("raise LookupError('no tea')\n")
    assert main(["openapi", str(path)]) == 3
    assert "no tea" in capsys.readouterr().err


def test_a_kept_document_is_checked(target: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    kept = tmp_path / "openapi.json"
    assert main(["openapi", target, "--output", str(kept)]) == 0
    assert main(["openapi", target, "--check", str(kept)]) == 0
    kept.write_text(kept.read_text(encoding="utf-8").replace("1.0.0", "2.0.0"), encoding="utf-8")
    assert main(["openapi", target, "--check", str(kept)]) == 1
    assert "--output" in capsys.readouterr().err
    assert main(["openapi", target, "--check", str(tmp_path / "none.json")]) == 2


def test_channels_are_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "chat_room.py"
    path.write_text(
        "from spikard import Spikard\n\napp = Spikard()\n\n\n"
        "@app.websocket('/chat')\nasync def chat(message: dict) -> dict:\n    return message\n"
    )
    assert main(["asyncapi", str(path)]) == 0
    assert list(json.loads(capsys.readouterr().out)["channels"]) == ["chat"]
