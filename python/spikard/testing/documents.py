"""Whether an application's documents are what they claim to be."""

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from spikard.app.application import Spikard


def assert_openapi_valid(app: "Spikard") -> dict[str, Any]:
    """Check the application's OpenAPI document with an independent validator; gives the document.

    Needs `openapi-spec-validator`: `pip install 'spikard[test]'`.
    """
    try:
        from openapi_spec_validator import OpenAPIV31SpecValidator
    except ModuleNotFoundError as fault:
        raise ImportError(
            "assert_openapi_valid needs openapi-spec-validator: pip install 'spikard[test]'", name=fault.name
        ) from None
    document: dict[str, Any] = json.loads(json.dumps(app.openapi(), allow_nan=False))
    faults = [
        f"/{'/'.join(str(part) for part in fault.absolute_path)}: {fault.message}"
        for fault in OpenAPIV31SpecValidator(document).iter_errors()
    ]
    if faults:
        raise AssertionError("the OpenAPI document is not valid:\n" + "\n".join(faults))
    return document


__all__ = ["assert_openapi_valid"]
