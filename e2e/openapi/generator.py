"""The generator of clients, in an environment of its own, since its libraries are no matter of ours.

python generator.py FOLDER
"""

import subprocess
import sys
import venv
from pathlib import Path

GENERATOR = "openapi-python-client==0.29.1"


def install(folder: Path) -> Path:
    """Make the environment; gives the folder of its programs."""
    venv.create(folder, with_pip=True, clear=True)
    found = programs(folder)
    subprocess.run([found / "python", "-m", "pip", "install", "--quiet", GENERATOR], check=True)
    return found


def programs(folder: Path) -> Path:
    """Where an environment has its programs."""
    return folder / ("Scripts" if sys.platform == "win32" else "bin")


if __name__ == "__main__":
    install(Path(sys.argv[1]))
