"""The version lives in Cargo.toml, once; everything else says the same."""

import re
import subprocess
import sys
import sysconfig
from importlib.metadata import version
from pathlib import Path

import pytest

import spikard
from tests.house.repository import CrateGraph, Repository


@pytest.fixture
def declared(repository: Repository) -> str:
    found: str = repository.toml("Cargo.toml")["workspace"]["package"]["version"]
    return found


def test_every_crate_has_it(declared: str, crates: CrateGraph) -> None:
    assert {crate.version for crate in crates.ours().values()} == {declared}


def test_the_package_has_it(declared: str, repository: Repository) -> None:
    assert "version" in repository.toml("pyproject.toml")["project"]["dynamic"]
    assert spikard.__version__ == declared
    assert version("spikard") == declared


def test_both_commands_say_it(declared: str) -> None:
    scripts = Path(sysconfig.get_path("scripts"))
    for command in (["spikard", "--version"], ["spikard-server", "--version"]):
        output = subprocess.run(
            [scripts / command[0], *command[1:]], capture_output=True, text=True, check=True, timeout=20
        ).stdout
        assert declared in output.split(), command
    module = [sys.executable, "-m", "spikard", "--version"]
    assert declared in subprocess.run(module, capture_output=True, text=True, check=True, timeout=20).stdout.split()


def test_the_changelog_knows_it(declared: str, repository: Repository) -> None:
    headings = re.findall(r"^## \[?([^\]\s]+)", repository.text("CHANGELOG.md"), re.MULTILINE)
    assert headings[0] == "Unreleased"
    assert len(headings) == 1 or headings[1] == declared
