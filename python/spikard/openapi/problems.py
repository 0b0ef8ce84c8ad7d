"""The documents that refusals are, as schemas."""

from spikard.openapi.components import Components
from spikard.responses.problem import MEDIA_TYPE
from spikard.schema.build import Schema

PROBLEM = "ProblemDetails"
VALIDATION_PROBLEM = "HTTPValidationProblem"
FAULT = "ValidationFault"

MEMBERS: Schema = {
    "type": {"type": "string", "format": "uri-reference", "description": "Names the kind of problem."},
    "title": {"type": "string", "description": "The kind of problem in words."},
    "status": {"type": "integer", "minimum": 100, "maximum": 599, "description": "The status of the answer."},
    "detail": {"type": "string", "description": "What is wrong with this request."},
    "instance": {"type": "string", "format": "uri-reference", "description": "Names this occurrence."},
    "request_id": {"type": "string", "description": "Finds the request in the server's log."},
}
SCHEMAS: dict[str, Schema] = {
    PROBLEM: {
        "title": PROBLEM,
        "description": "A problem document (RFC 9457).",
        "type": "object",
        "properties": MEMBERS,
        "required": ["type", "title", "status"],
    },
    VALIDATION_PROBLEM: {
        "title": VALIDATION_PROBLEM,
        "description": "A problem document with every fault of the request.",
        "type": "object",
        "properties": {
            **MEMBERS,
            "errors": {"type": "array", "items": {"$ref": f"#/$defs/{FAULT}"}},
            "errors_truncated": {"type": "boolean", "description": "There are more faults than are listed."},
        },
        "required": ["type", "title", "status", "detail", "errors"],
    },
    FAULT: {
        "title": FAULT,
        "description": "One fault of a request.",
        "type": "object",
        "properties": {
            "type": {"type": "string", "description": "The kind of fault.", "examples": ["missing", "int_parsing"]},
            "loc": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Where it is: the source, then the way inwards.",
                "examples": [["query", "limit"], ["body", "tags", "2"]],
            },
            "msg": {"type": "string", "description": "The fault in words."},
            "input": {"description": "The value that was refused."},
            "ctx": {"type": "object", "description": "The bounds it was measured by."},
            "pointer": {"type": "string", "format": "json-pointer", "description": "The place in a JSON body."},
        },
        "required": ["type", "loc", "msg"],
    },
}
# When the framework itself gives such an answer.
REASONS = {
    400: "The request is malformed",
    401: "Authentication is missing or not accepted",
    403: "The request is not allowed",
    404: "There is nothing at this path",
    406: "No media type the client takes is given here",
    413: "The body is larger than allowed",
    415: "The media type of the body is not accepted",
    422: "The request fails validation",
    429: "Too many requests",
    500: "The server failed",
}


def problem_answer(status: int, components: Components) -> Schema:
    """The response object of a refusal."""
    name = VALIDATION_PROBLEM if status == 422 else PROBLEM
    return {
        "description": REASONS[status],
        "content": {MEDIA_TYPE: {"schema": components.named(name)}},
    }


__all__ = ["FAULT", "PROBLEM", "REASONS", "SCHEMAS", "VALIDATION_PROBLEM", "problem_answer"]
