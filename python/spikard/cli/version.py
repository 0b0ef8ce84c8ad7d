"""What is installed here."""

import platform
import sys


def run(arguments: list[str]) -> int:
    """Print versions: ours, and those a bug report needs."""
    if arguments:
        print("Usage: spikard version")
        return 0 if arguments[0] in {"-h", "--help"} else 2
    from spikard._spikard import __profile__, __version__

    build = "" if __profile__ == "release" else f", {__profile__} build"
    print(
        f"spikard {__version__} ({platform.python_implementation()} {platform.python_version()}, {sys.platform}{build})"
    )
    return 0
