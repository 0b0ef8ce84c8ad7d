"""Documents judged by somebody else."""

import json
from typing import Any

from openapi_spec_validator import OpenAPIV31SpecValidator

from spikard import Spikard


def checked(app: Spikard) -> dict[str, Any]:
    """The application's document as a client reads it, after a validator of others has found nothing."""
    document: dict[str, Any] = json.loads(json.dumps(app.openapi(), allow_nan=False))
    faults = [f"{'/'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in faults_of(document)]
    assert faults == []
    return document


def faults_of(document: dict[str, Any]) -> list[Any]:
    """What the validator finds."""
    return list(OpenAPIV31SpecValidator(document).iter_errors())


def operation(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """One operation of a document."""
    found: dict[str, Any] = document["paths"][path][method]
    return found


def resolved(document: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema a reference leads to."""
    found: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    return found
