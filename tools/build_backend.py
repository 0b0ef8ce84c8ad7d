"""The build backend: builds `spikard-server`, stages it for the wheel, then leaves the rest to maturin.

Maturin ships either an extension or a binary, not both, but it copies whatever lies in its `data` directory. So the
binary is built first and staged there, and every way of installing (wheel, sdist, editable) carries it.

Run as a script it only stages the binary, for those who call `maturin build` or `maturin develop` themselves:

    python tools/build_backend.py [PROFILE]

Environment:

- `SPIKARD_BUILD_PROFILE`: the cargo profile of wheels (`release` unless given) and of editable installs (`dev`).
- `CARGO`, `CARGO_BUILD_TARGET`, `CARGO_TARGET_DIR`: as cargo has them.
"""

import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import maturin
from maturin import (
    get_requires_for_build_editable,
    get_requires_for_build_sdist,
    get_requires_for_build_wheel,
    prepare_metadata_for_build_editable,
    prepare_metadata_for_build_wheel,
)

__all__ = [
    "build_editable",
    "build_sdist",
    "build_wheel",
    "get_requires_for_build_editable",
    "get_requires_for_build_sdist",
    "get_requires_for_build_wheel",
    "prepare_metadata_for_build_editable",
    "prepare_metadata_for_build_wheel",
]

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS = ROOT / "build" / "wheel-data" / "scripts"
SERVER = "spikard-server"
FEATURES = "core-http/server-bin"
DEFAULT_WHEEL_PROFILE = "release"
DEFAULT_EDITABLE_PROFILE = "dev"

Config = Mapping[str, Any] | None

# Maturin looks for the data directory while it writes metadata, long before a build fills it.
SCRIPTS.mkdir(parents=True, exist_ok=True)


def build_wheel(wheel_directory: str, config_settings: Config = None, metadata_directory: str | None = None) -> str:
    """Build a wheel with the extension and the server binary, both of one cargo profile."""
    profile = _profile(DEFAULT_WHEEL_PROFILE)
    stage(profile)
    _tell_maturin(profile)
    name: str = maturin.build_wheel(wheel_directory, _settings(config_settings), metadata_directory)
    return name


def build_editable(wheel_directory: str, config_settings: Config = None, metadata_directory: str | None = None) -> str:
    """Put the extension beside the Python sources and the server binary on the environment's path."""
    profile = _profile(DEFAULT_EDITABLE_PROFILE)
    stage(profile)
    _tell_maturin(profile)
    name: str = maturin.build_editable(wheel_directory, _settings(config_settings), metadata_directory)
    return name


def build_sdist(sdist_directory: str, config_settings: Config = None) -> str:
    """Pack the sources; the binary is built where the sdist is installed."""
    name: str = maturin.build_sdist(sdist_directory, _settings(config_settings))
    return name


def stage(profile: str) -> Path:
    """Build the server binary in `profile` and copy it to the staging directory; gives the copy's path."""
    executable = _build_server(profile)
    # A binary of another platform or an older name must not slip into the wheel.
    shutil.rmtree(SCRIPTS, ignore_errors=True)
    SCRIPTS.mkdir(parents=True)
    return Path(shutil.copy2(executable, SCRIPTS / executable.name))


def _build_server(profile: str) -> Path:
    # Same profile, packages and features as maturin's own run (`features` in pyproject.toml): cargo then resolves the
    # same features for every shared dependency, and the second run finds all of them compiled.
    command = [os.environ.get("CARGO", "cargo"), "build", "--profile", profile]
    command += ["--package", "core-http", "--package", "py-bindings", "--features", FEATURES, "--bin", SERVER]
    command += ["--message-format", "json-render-diagnostics"]
    if (ROOT / "Cargo.lock").exists():
        command.append("--locked")
    print("+", shlex.join(command), file=sys.stderr, flush=True)
    run = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if run.returncode != 0:
        raise SystemExit(f"cargo could not build {SERVER} (exit status {run.returncode}); its messages are above")
    # Cargo tells where the file is: right under any target directory, cross target and executable suffix.
    for line in run.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-artifact" and message["target"]["name"] == SERVER and message["executable"]:
            return Path(message["executable"])
    raise SystemExit(f"cargo built no executable named {SERVER}")


def _profile(default: str) -> str:
    return os.environ.get("SPIKARD_BUILD_PROFILE") or default


def _tell_maturin(profile: str) -> None:
    # The only way into maturin's hooks that works for wheels and editable installs alike.
    arguments = shlex.split(os.environ.get("MATURIN_PEP517_ARGS", ""))
    if "--profile" not in arguments:
        arguments += ["--profile", profile]
    if (ROOT / "Cargo.lock").exists() and "--locked" not in arguments:
        arguments.append("--locked")
    os.environ["MATURIN_PEP517_ARGS"] = shlex.join(arguments)


def _settings(config_settings: Config) -> dict[str, Any] | None:
    return None if config_settings is None else dict(config_settings)


if __name__ == "__main__":
    print(stage(sys.argv[1] if len(sys.argv) > 1 else _profile(DEFAULT_WHEEL_PROFILE)))
