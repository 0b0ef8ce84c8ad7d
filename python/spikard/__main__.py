"""`python -m spikard`: the same as the `spikard` command."""

import sys

from spikard.cli.command import main

if __name__ == "__main__":
    sys.exit(main())
