"""The source distribution holds what is needed to build, and builds."""

import os
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh one."""
    target = tmp_path_factory.mktemp("sdist")
    command = [sys.executable, "-m", "build", "--sdist", "--outdir", str(target), str(ROOT)]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert run.returncode == 0, run.stdout + run.stderr
    (path,) = target.glob("*.tar.gz")
    return path


@pytest.fixture(scope="session")
def names(sdist: Path) -> set[str]:
    """Its files, relative to its only folder."""
    with tarfile.open(sdist) as archive:
        return {member.name.partition("/")[2] for member in archive.getmembers() if member.isfile()}


def test_what_a_build_needs_is_inside(names: set[str]) -> None:
    needed = """
        Cargo.lock Cargo.toml LICENSE README.md pyproject.toml rust-toolchain.toml tools/build_backend.py
        crates/core-http/src/bin/spikard-server.rs crates/core-validate/src/lib.rs crates/py-bindings/src/lib.rs
        python/spikard/_spikard.pyi python/spikard/py.typed
    """
    assert set(needed.split()) <= names


def test_no_product_of_a_build_is_inside(names: set[str]) -> None:
    parts = {part for name in names for part in name.split("/")}
    assert not parts & {"target", "build", ".venv", "__pycache__"}
    assert [name for name in names if name.endswith((".so", ".pyd", ".pyc"))] == []


def test_it_installs(sdist: Path, tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True, timeout=120)
    # In the quick profile and with the crates that are already compiled: the way matters here, not the speed.
    target = os.environ.get("CARGO_TARGET_DIR", str(ROOT / "target"))
    env = {**os.environ, "SPIKARD_BUILD_PROFILE": "dev", "CARGO_TARGET_DIR": target}
    pip = [str(tmp_path / "venv/bin/pip"), "install", "--quiet", str(sdist)]
    run = subprocess.run(pip, env=env, capture_output=True, text=True, check=False, timeout=540)
    assert run.returncode == 0, run.stdout + run.stderr
    for command in ("spikard", "spikard-server"):
        subprocess.run([tmp_path / "venv/bin" / command, "--version"], check=True, timeout=60)
