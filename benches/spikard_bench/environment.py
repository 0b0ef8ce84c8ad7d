"""An environment: one virtual environment per peer, installed from its lock, and the tools of the harness."""

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

BENCHES = Path(__file__).resolve().parent.parent
ENVIRONMENTS = BENCHES / ".envs"
TOOLS = BENCHES / ".tools"
WHEELS = TOOLS / "wheels"
LOCKS = BENCHES / "locks"
FLOOR = BENCHES / "floor"
OHA_VERSION = "1.16.0"

WRK_HINT = "wrk is missing: `apt-get install wrk` (Debian, Ubuntu), `brew install wrk` (macOS)"


class SetupError(Exception):
    """Something the harness needs could not be made; the text says what to do."""


@dataclass(frozen=True)
class Environment:
    """A virtual environment under `benches/.envs`. `ours` is built from the repository, the others from wheels only."""

    name: str
    python: str
    package: str
    ours: bool = False

    @property
    def path(self) -> Path:
        return ENVIRONMENTS / self.name

    @property
    def lock(self) -> Path:
        return LOCKS / f"{'ours' if self.ours else self.name}.txt"

    @property
    def interpreter(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def ready(self) -> bool:
        return (self.path / ".ready").exists()

    @property
    def failure(self) -> str | None:
        """Why the last installation did not work."""
        note = self.path / ".failed"
        return note.read_text().strip() if note.exists() else None

    @property
    def revision(self) -> str:
        """Of ours: the commit it was built at."""
        return (self.path / ".ready").read_text().strip() if self.ours and self.ready else ""

    def install(self) -> None:
        """Make the environment anew when its lock changed; ours is always made anew."""
        stamp = self.path / ".ready"
        wanted = current_revision() if self.ours else self.lock.read_text()
        if not self.ours and stamp.exists() and stamp.read_text() == wanted:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        try:
            run([find_python(self.python), "-m", "venv", str(self.path)])
            pip = [str(self.interpreter), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            run([*pip, "--only-binary", ":all:", "--requirement", str(self.lock)])
            if self.ours:
                run([*pip, str(build_wheel(wanted))])
        except SetupError as error:
            (self.path / ".failed").write_text(str(error))
            raise
        stamp.write_text(wanted)


@cache
def build_wheel(revision: str) -> Path:
    """Ours as a wheel, built once for all interpreters."""
    folder = WHEELS / revision
    shutil.rmtree(WHEELS, ignore_errors=True)
    builder = [find_python("3.11"), "-m", "pip", "wheel", "--quiet", "--disable-pip-version-check", "--no-deps"]
    run([*builder, "--wheel-dir", str(folder), str(BENCHES.parent)])
    wheels = list(folder.glob("*.whl"))
    if len(wheels) != 1:
        raise SetupError(f"{len(wheels)} wheels in {folder}, expected one")
    return wheels[0]


def current_revision() -> str:
    """The commit of the repository, marked when files differ from it."""
    command = ["git", "-C", str(BENCHES.parent), "describe", "--always", "--dirty", "--exclude", "*"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def run(command: list[str]) -> None:
    """Run to the end, or raise with the last line of what it said."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise SetupError(lines[-1] if lines else f"{command[0]} failed with {done.returncode}")


def ask(interpreter: Path, code: str) -> str:
    """What an interpreter prints for a line of code; empty when it fails."""
    done = subprocess.run([str(interpreter), "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else ""


def find_python(version: str) -> str:
    """An interpreter of this minor version: from PATH, or from pyenv."""
    candidates = [shutil.which(f"python{version}")]
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    candidates += [str(path / "bin" / "python") for path in sorted(root.glob(f"{version}.*"), reverse=True)]
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    for candidate in candidates:
        if candidate and ask(Path(candidate), code) == version:
            return candidate
    raise SetupError(f"no Python {version} found on PATH or in pyenv")


def floor_binary() -> Path | None:
    """The built floor: the optimised one, else the quick one of a smoke run."""
    for profile in ("release", "debug"):
        binary = TOOLS / "floor" / profile / "floor"
        if binary.exists():
            return binary
    return None


def build_floor(release: bool = True) -> None:
    """Build the all-Rust floor into `benches/.tools/floor`."""
    command = ["cargo", "build", "--quiet", "--locked", "--manifest-path", str(FLOOR / "Cargo.toml")]
    run([*command, "--target-dir", str(TOOLS / "floor"), *(["--release"] if release else [])])


def oha_binary() -> Path | None:
    """oha of the pinned version, installed by `--setup`."""
    binary = TOOLS / "bin" / "oha"
    return binary if binary.exists() else None


def install_oha() -> None:
    if oha_binary() is None:
        run(["cargo", "install", "--quiet", "oha", "--version", OHA_VERSION, "--locked", "--root", str(TOOLS)])


def set_up(environments: list[Environment]) -> bool:
    """Make what a full run needs. A peer that fails is reported and left out; false when ours or a tool failed."""
    well = shutil.which("wrk") is not None
    if not well:
        print(WRK_HINT, file=sys.stderr)
    needed = {environment.name for environment in environments if environment.ours} | {"floor", "oha"}
    steps = [("floor", build_floor), ("oha", install_oha)]
    steps += [(environment.name, environment.install) for environment in environments]
    for name, step in steps:
        print(f"setting up {name} …", flush=True)
        try:
            step()
        except SetupError as error:
            well = well and name not in needed
            print(f"  {name}: {error}", file=sys.stderr)
    return well
