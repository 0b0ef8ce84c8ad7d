"""What is in the wheel, and what is not."""

import configparser
import re
import subprocess
import sys
from pathlib import Path

import pytest
from wheel import Wheel

MEBIBYTE = 1 << 20
LIMIT = 12 * MEBIBYTE
NEEDED = re.compile(r"\(NEEDED\).*\[(.+)\]")


def test_one_extension_for_all_pythons(wheel: Wheel) -> None:
    assert wheel.named(".abi3.so") == ["spikard/_spikard.abi3.so"]
    assert [name for name in wheel.entries if re.search(r"\.(so|pyd|dll|dylib)\b", name)] == wheel.named(".abi3.so")
    assert wheel.metadata("WHEEL")["Tag"].startswith("cp311-abi3-")
    assert "-cp311-abi3-" in wheel.path.name


def test_one_server_program(wheel: Wheel) -> None:
    scripts = [name for name in wheel.entries if ".data/" in name]
    assert [name.rpartition("/")[2] for name in scripts] == ["spikard-server"]
    assert scripts[0].endswith(".data/scripts/spikard-server")
    assert wheel.is_executable(scripts[0])


def test_types_and_licence_ship(wheel: Wheel) -> None:
    for suffix in ("spikard/py.typed", "spikard/_spikard.pyi", ".dist-info/licenses/LICENSE"):
        assert len(wheel.named(suffix)) == 1, suffix


def test_nothing_else_ships(wheel: Wheel) -> None:
    tops = {name.split("/")[0] for name in wheel.entries}
    assert {re.sub(r"-[^-]+\.(data|dist-info)$", r".\1", top) for top in tops} == {
        "spikard",
        "spikard.data",
        "spikard.dist-info",
    }
    kinds = {Path(name).suffix for name in wheel.entries if name.startswith("spikard/")}
    assert kinds == {".py", ".pyi", ".so", ".typed", ".gz", ".html", ".js", ".json", ".LICENSE", ".yaml"}


def test_the_pages_ship_whole(wheel: Wheel) -> None:
    folder = "spikard/openapi/assets/"
    sources = Path(__file__).resolve().parents[2] / "python" / folder
    assert {name.removeprefix(folder) for name in wheel.entries if name.startswith(folder)} == {
        path.name for path in sources.iterdir()
    }


def test_every_module_ships(wheel: Wheel) -> None:
    sources = Path(__file__).resolve().parents[2] / "python"
    wanted = {path.relative_to(sources).as_posix() for path in sources.glob("spikard/**/*.py")}
    assert {name for name in wheel.entries if name.endswith(".py")} == wanted


def test_commands_and_requirements(wheel: Wheel) -> None:
    metadata = wheel.metadata()
    assert metadata["Requires-Python"] == ">=3.11"
    required = [one for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one]
    assert [re.split(r"[<>= ]", one)[0] for one in required] == ["msgspec"]
    points = configparser.ConfigParser()
    points.read_string(wheel.read(".dist-info/entry_points.txt").decode())
    assert {name: dict(points[name]) for name in points.sections()} == {
        "console_scripts": {"spikard": "spikard.cli.command:main"},
        "pytest11": {"spikard_bots": "spikard.bots.testing.plugin"},
    }


def test_size(wheel: Wheel) -> None:
    assert wheel.path.stat().st_size < LIMIT


@pytest.mark.parametrize("suffix", ["/spikard-server", ".abi3.so"])
def test_no_library_of_python_is_linked(wheel: Wheel, tmp_path: Path, suffix: str) -> None:
    binary = tmp_path / "binary"
    binary.write_bytes(wheel.read(suffix))
    listing = subprocess.run(["readelf", "-d", binary], capture_output=True, text=True, check=True).stdout
    needed = NEEDED.findall(listing)
    assert any(name.startswith("libc.") for name in needed), listing
    assert [name for name in needed if "python" in name] == []


def test_only_the_stable_abi_is_used(wheel: Wheel) -> None:
    audit = [sys.executable, "-m", "abi3audit", "--strict", "--assume-minimum-abi3", "3.11", str(wheel.path)]
    run = subprocess.run(audit, capture_output=True, text=True, check=False, timeout=60)
    assert run.returncode == 0, run.stdout + run.stderr
