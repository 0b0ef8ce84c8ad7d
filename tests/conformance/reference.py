"""What a request gives the handler, said a second time and without the framework: for cases that do not say it."""

import base64
import re
from typing import Any
from urllib.parse import parse_qsl, unquote

from tests.conformance.case import Case, Parameter
from tests.conformance.exchange import file_content, request_headers, target

TRUE = frozenset({"true", "1", "yes", "on", "t", "y"})
CONVERTERS = {"int": "integer", "float": "number", "bool": "boolean"}


def reference_arguments(case: Case) -> dict[str, Any]:
    """The arguments by name on the wire, as JSON values."""
    arguments = {parameter.name: _argument(case, parameter) for parameter in case.parameters}
    for name, converter in re.findall(r"{(\w+)(?::(\w+))?}", case.path):
        if name not in arguments:
            schema = {"type": CONVERTERS.get(converter, "string")}
            arguments[name] = value_of(schema, [_path_values(case)[name]])
    return arguments


def _argument(case: Case, parameter: Parameter) -> Any:
    if parameter.source == "file":
        return _file(case, parameter.name)
    texts = _texts(case, parameter)
    if texts:
        return value_of(parameter.schema, texts)
    return parameter.schema.get("default")


def _file(case: Case, name: str) -> Any:
    files = [file for file in case.request.get("body", {}).get("files", ()) if file["field_name"] == name]
    if not files:
        return None
    content = file_content(files[-1])
    try:
        shown: Any = content.decode()
    except UnicodeDecodeError:
        shown = base64.b64encode(content).decode()
    return {
        "filename": files[-1]["filename"],
        "size": len(content),
        "content": shown,
        "content_type": files[-1].get("content_type", "application/octet-stream"),
    }


def _texts(case: Case, parameter: Parameter) -> list[str]:
    match parameter.source:
        case "path":
            return [_path_values(case)[parameter.name]]
        case "query":
            pairs = parse_qsl(target(case).partition("?")[2], keep_blank_values=True)
            return [value for name, value in pairs if name == parameter.name]
        case "header":
            return [value for name, value in request_headers(case) if name.lower() == parameter.name.lower()]
        case _:
            return [value for name, value in case.request.get("cookies", {}).items() if name == parameter.name]


def _path_values(case: Case) -> dict[str, str]:
    pattern = re.sub(r"{(\w+):path}", r"(?P<\1>.+)", case.path)
    pattern = re.sub(r"{(\w+)(?::\w+)?}", r"(?P<\1>[^/]+)", pattern)
    match = re.fullmatch(pattern, target(case).partition("?")[0])
    assert match is not None, f"{case.id}: the request does not fit {case.path}"
    return {name: unquote(value) for name, value in match.groupdict().items()}


def value_of(schema: dict[str, Any], texts: list[str]) -> Any:
    """The JSON value of the texts under one name."""
    match schema.get("type"):
        case "array":
            separator = schema.get("separator")
            items = texts[0].split(separator) if separator and len(texts) == 1 else texts
            return [value_of(schema.get("items", {}), [item]) for item in items]
        case "integer":
            return int(texts[-1])
        case "number":
            return float(texts[-1])
        case "boolean":
            return texts[-1].lower() in TRUE
        case _:
            return texts[-1]
