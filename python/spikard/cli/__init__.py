"""The `spikard` command and the worker processes of `spikard-server`.

- `command`: which subcommand is meant
- `serve`: hand over to the native supervisor
- `check`: whether an application could be served
- `routes`: the table of an application's routes
- `version`: what is installed here
- `target`: from `module:attribute` or a file to an application
- `worker`: a process that serves under the supervisor
- `control`: how a worker and the supervisor talk
"""

from spikard.cli.command import main

__all__ = ["main"]
