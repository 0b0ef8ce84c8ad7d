"""What is installed here."""

import platform
import sys

from spikard import __version__


def run(arguments: list[str]) -> int:
    """Print versions: ours, and those a bug report needs."""
    if arguments:
        print("Usage: spikard version")
        return 0 if arguments[0] in {"-h", "--help"} else 2
    print(f"spikard {__version__} ({platform.python_implementation()} {platform.python_version()}, {sys.platform})")
    return 0
