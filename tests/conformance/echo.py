"""The application of a case: its handler gives its arguments back and knows nothing of the case."""

import asyncio
import keyword
import re
from collections.abc import Mapping
from typing import Any

from spikard import Spikard, UploadFile
from spikard.config import ApiKeyConfig, CorsConfig, JwtConfig, RateLimitConfig, ServerConfig
from tests.conformance.annotation import annotation_of
from tests.conformance.case import Case, Parameter
from tests.conformance.lifecycle import install
from tests.conformance.model import Style, body_type, plain

Arguments = dict[str, Any]
GUARDS: dict[str, type] = {"jwt_auth": JwtConfig, "api_key_auth": ApiKeyConfig, "rate_limit": RateLimitConfig}
# How many requests come before the one that is judged.
WARM_UP = "warmup_requests"


class EchoApp:
    """An application with one route; `calls` are the arguments of every call of its handler."""

    def __init__(self, case: Case, style: Style) -> None:
        self.calls: list[Arguments] = []
        self.app = Spikard(config=_config(case.config))
        parameters, files = [], {}
        for parameter in case.parameters:
            if parameter.source == "file":
                files[parameter.name] = {"required": parameter.required, **parameter.schema}
            else:
                parameters.append(parameter)
        install(self.app, case.hooks)
        handler = self._handler(case, parameters, list(files), style)
        self.app.register_route(
            case.method,
            case.path,
            body_schema=case.body_schema,
            parameter_schema=_parameter_schema(parameters),
            file_params=files or None,
        )(handler)

    def _handler(self, case: Case, parameters: list[Parameter], files: list[str], style: Style) -> Any:
        """A function with the signature that the case's application would have."""
        names = {python_name(parameter): parameter for parameter in parameters}
        for name in path_names(case.path):
            names.setdefault(name, Parameter("path", name, True, {}))
        required = [name for name, parameter in names.items() if parameter.required]
        optional = [name for name, parameter in names.items() if not parameter.required]
        body = ["body"] if case.body_schema is not None else []
        request = ["request"] if case.hooks else []
        signature = ", ".join([*request, *body, *required, *files, *(f"{name}=None" for name in optional)])
        order = [*request, *body, *files, *names]
        calls, seconds = self.calls, case.config.get("request_timeout", {}).get("sleep_ms", 0) / 1000

        async def answer(arguments: Arguments) -> Arguments:
            if seconds:
                await asyncio.sleep(seconds)
            if case.hooks:
                # What hooks have left in the state is echoed with the rest.
                arguments |= dict(arguments.pop("request").state)
            arguments = plain(arguments)
            calls.append(arguments)
            return arguments

        values = ", ".join(f"{name!r}: {name}" for name in order)
        space: dict[str, Any] = {"answer": answer}
        exec(f"async def echo({signature}):\n    return await answer({{{values}}})\n", space)
        echo = space["echo"]
        if style is not Style.BARE:
            echo.__annotations__.update({name: annotation_of(parameter) for name, parameter in names.items()})
            echo.__annotations__.update(dict.fromkeys(files, UploadFile | None))
            if body:
                echo.__annotations__["body"] = body_type(style, case.body_schema)
        return echo


def python_name(parameter: Parameter) -> str:
    """The name of the handler's parameter."""
    name = re.sub(r"\W", "_", parameter.name)
    name = name.lower() if parameter.source == "header" else name
    return f"{name}_" if keyword.iskeyword(name) or name == "body" else name


def path_names(path: str) -> list[str]:
    """The names in a path pattern."""
    return re.findall(r"{(\w+)(?::\w+)?}", path)


def _parameter_schema(parameters: list[Parameter]) -> dict[str, Any] | None:
    if not parameters:
        return None
    properties = {}
    for parameter in parameters:
        name = python_name(parameter)
        properties[name] = {**parameter.schema, "source": parameter.source}
        wire_name = name.replace("_", "-") if parameter.source == "header" else name
        if wire_name != (parameter.name.lower() if parameter.source == "header" else parameter.name):
            properties[name]["alias"] = parameter.name
    return {
        "type": "object",
        "properties": properties,
        "required": [python_name(parameter) for parameter in parameters if parameter.required],
    }


def _config(switches: Mapping[str, Any]) -> ServerConfig:
    """Settings of a case under the names of the framework."""
    fields: dict[str, Any] = {}
    for name, value in switches.items():
        match name:
            case "lifecycle_hooks":
                continue
            case "body_limit":
                fields["max_body_size"] = value["max_bytes"]
            case "request_timeout":
                fields["request_timeout"] = value["seconds"]
            case "request_id":
                fields["enable_request_id"] = value.get("enabled", True)
            case "cors":
                fields["cors"] = CorsConfig(**value)
            case "max_nesting_depth":
                fields["max_json_depth"] = value
            case "form_limits":
                fields |= value
            case "jwt_auth" | "api_key_auth" | "rate_limit":
                kind = GUARDS[name]
                if value.get("enabled", True):
                    fields[name] = kind(**{key: item for key, item in value.items() if key not in ("enabled", WARM_UP)})
            case _:
                # What the framework has no such setting for is refused here.
                fields[name] = value
    return ServerConfig(**fields)
