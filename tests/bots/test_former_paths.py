"""Paths that ported bots import: other names of our modules, with the same classes behind them."""

import subprocess
import sys
from importlib import import_module

import pytest

from spikard.bots.former_paths import TARGETS


@pytest.mark.parametrize("alias", sorted(TARGETS))
def test_every_alias_leads_somewhere(alias: str) -> None:
    module = import_module(f"spikard.bots.{alias}")
    target = import_module(f"spikard.bots.{TARGETS[alias][0]}")
    for name in target.__all__:
        assert getattr(module, name) is getattr(target, name)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("spikard.bots.client.bot", "Bot"),
        ("spikard.bots.enums.parse_mode", "ParseMode"),
        ("spikard.bots.exceptions", "APIError"),
        ("spikard.bots.types.message", "ParentMessage"),
        ("spikard.bots.types.input_file", "InputFile"),
        ("spikard.bots.utils", "InlineKeyboardBuilder"),
        ("spikard.bots.utils.text", "split_text"),
    ],
)
def test_names_at_the_paths_of_the_reference(path: str, name: str) -> None:
    assert getattr(import_module(path), name).__name__ == name


def test_what_is_not_there_is_an_import_error() -> None:
    with pytest.raises(ModuleNotFoundError):
        import_module("spikard.bots.utils.nothing")
    with pytest.raises(AttributeError, match="nothing"):
        _ = import_module("spikard.bots.utils").nothing


def test_importing_the_package_loads_no_library_of_an_extra() -> None:
    code = (
        "import sys, spikard.bots, spikard.bots.types, spikard.bots.text, spikard.bots.keyboard;"
        "print('httpx' in sys.modules)"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=50).stdout
    assert output.strip() == "False"
