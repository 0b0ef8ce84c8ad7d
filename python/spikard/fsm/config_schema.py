"""The format of configurations, for editors and other tools."""

import json
from typing import Any

from spikard._spikard import machine_schema


def config_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of configurations."""
    schema: dict[str, Any] = json.loads(machine_schema())
    return schema
