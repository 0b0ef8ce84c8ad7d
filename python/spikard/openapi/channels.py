"""The whole AsyncAPI document: WebSockets and streams of events."""

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from spikard.config import AsyncApiConfig, OpenApiConfig, ServerConfig
from spikard.openapi.components import Components
from spikard.openapi.document import free_name, info_of, template
from spikard.openapi.operation import NOT_IN_IDS, documentation
from spikard.openapi.parameters import parameters_of
from spikard.openapi.security import Guarded, SecuritySchemes
from spikard.openapi.signature import Signature
from spikard.routing.handler_plan import HandlerPlan
from spikard.routing.route import Route
from spikard.routing.socket_route import SocketRoute
from spikard.schema.build import Schema

VERSION = "3.0.0"
RECEIVED, SENT = "received", "sent"
# What the schemes of OpenAPI are called here.
SCHEME_TYPES = {"apiKey": "httpApiKey"}


class Channels:
    """Writes the channels of one document."""

    def __init__(self, config: ServerConfig) -> None:
        self.components = Components({}, {})
        self.schemes = SecuritySchemes(config, config.openapi or OpenApiConfig())
        self.channels: dict[str, Schema] = {}
        self.operations: dict[str, Schema] = {}
        self.messages: dict[str, Schema] = {}
        self._taken: set[str] = set()

    def add_socket(self, route: SocketRoute, plan: HandlerPlan) -> None:
        """A WebSocket: what clients send to it, and what it sends to them."""
        name = self._add_channel(route, plan, "ws")
        if route.subprotocols:
            self.channels[name]["x-subprotocols"] = list(route.subprotocols)
        self._add_operation(route, name, "receive", RECEIVED, route.message_schema)
        self._add_operation(route, name, "send", SENT, route.response_schema)

    def add_events(self, route: Route, plan: HandlerPlan) -> None:
        """A stream of events, which only the application sends."""
        name = self._add_channel(route, plan, "http")
        self._add_operation(route, name, "send", SENT, route.response_schema)

    def _add_channel(self, route: SocketRoute | Route, plan: HandlerPlan, protocol: str) -> str:
        name = free_name(NOT_IN_IDS.sub("_", route.name or route.path).strip("_") or "root", protocol, self._taken)
        summary, description = documentation(route.handler)
        channel: Schema = {"address": template(route.path), "messages": {}}
        texts = {"summary": route.summary or summary, "description": route.description or description}
        channel |= {word: text for word, text in texts.items() if text}
        parameters = parameters_of(plan, Signature.read(plan), self.components, name)
        if in_path := {one["name"]: _parameter(one) for one in parameters if one["in"] == "path"}:
            channel["parameters"] = in_path
        if route.tags:
            channel["tags"] = [{"name": str(tag)} for tag in route.tags]
        if protocol == "ws":
            channel["bindings"] = {"ws": _handshake(parameters)}
        self.channels[name] = channel
        return name

    def _add_operation(
        self, route: SocketRoute | Route, channel: str, action: str, message: str, schema: Mapping[str, Any] | None
    ) -> None:
        name = f"{channel}_{message}"
        payload = self.components.component(schema, name) if schema is not None else {}
        self.messages[name] = {"name": name, "contentType": "application/json", "payload": payload}
        self.channels[channel]["messages"][message] = {"$ref": f"#/components/messages/{name}"}
        operation: Schema = {
            "action": action,
            "channel": {"$ref": f"#/channels/{channel}"},
            "messages": [{"$ref": f"#/channels/{channel}/messages/{message}"}],
        }
        alternatives = self.schemes.requirements(Guarded.of(route))
        required = [scheme for alternative in alternatives for scheme in alternative]
        if required:
            operation["security"] = [{"$ref": f"#/components/securitySchemes/{scheme}"} for scheme in required]
        self.operations[f"{action}_{channel}"] = operation


def build_asyncapi(sockets: Iterable[SocketRoute], routes: Iterable[Route], config: ServerConfig) -> dict[str, Any]:
    """The document for these WebSockets and for those of the routes that send events."""
    described = described_as(config)
    written = Channels(config)
    for socket in sockets:
        if socket.include_in_schema and socket.plan is not None:
            written.add_socket(socket, socket.plan)
    for route in routes:
        if route.include_in_schema and route.event_source is not None and route.plan is not None:
            written.add_events(route, route.plan)
    document: dict[str, Any] = {"asyncapi": VERSION, "info": info_of(described)}
    if servers := _servers(config):
        document["servers"] = servers
    document |= {"channels": written.channels, "operations": written.operations}
    schemes = {name: _scheme(scheme) for name, scheme in written.schemes.objects().items()}
    parts = {"messages": written.messages, "schemas": written.components.schemas(), "securitySchemes": schemes}
    if any(parts.values()):
        document["components"] = {name: part for name, part in parts.items() if part}
    plain: dict[str, Any] = msgspec.to_builtins(document, str_keys=True, enc_hook=str)
    return plain


def described_as(config: ServerConfig) -> AsyncApiConfig:
    """What the document says of the application; without words of its own those of the OpenAPI document."""
    if config.asyncapi is not None:
        return config.asyncapi
    if config.openapi is None:
        return AsyncApiConfig()
    openapi = config.openapi
    return AsyncApiConfig(
        enabled=openapi.enabled,
        title=openapi.title,
        version=openapi.version,
        description=openapi.description,
        contact=openapi.contact,
        license=openapi.license,
        protect_docs=openapi.protect_docs,
    )


def _servers(config: ServerConfig) -> Schema:
    """The addresses with a host, as WebSockets reach them."""
    servers: Schema = {}
    for info in config.openapi.servers if config.openapi is not None else ():
        parts = urlsplit(info.url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            continue
        server: Schema = {"host": parts.netloc, "protocol": "wss" if parts.scheme == "https" else "ws"}
        if parts.path.strip("/"):
            server["pathname"] = parts.path
        if info.description is not None:
            server["description"] = info.description
        servers[f"server{len(servers) + 1}"] = server
    return servers


def _parameter(parameter: Schema) -> Schema:
    """A parameter of the address: a text here, with the values it may have."""
    schema = parameter["schema"]
    told: Schema = {}
    if isinstance(schema.get("enum"), list):
        told["enum"] = [str(value) for value in schema["enum"]]
    if isinstance(schema.get("examples"), list):
        told["examples"] = [str(value) for value in schema["examples"]]
    described = parameter.get("description")
    return {**told, "description": described} if described else told


def _handshake(parameters: list[Schema]) -> Schema:
    """What the request that opens a WebSocket carries."""
    binding: Schema = {"method": "GET"}
    for word, place in (("query", "query"), ("headers", "header")):
        found = [one for one in parameters if one["in"] == place]
        if found:
            binding[word] = {"type": "object", "properties": {one["name"]: one["schema"] for one in found}}
            if required := [one["name"] for one in found if one["required"]]:
                binding[word]["required"] = required
    return {**binding, "bindingVersion": "0.1.0"}


def _scheme(scheme: Mapping[str, Any]) -> Schema:
    if scheme["type"] == "oauth2":
        flows = {
            name: {"availableScopes" if word == "scopes" else word: value for word, value in flow.items()}
            for name, flow in scheme["flows"].items()
        }
        return {**scheme, "flows": flows}
    return {**scheme, "type": SCHEME_TYPES.get(scheme["type"], scheme["type"])}


__all__ = ["build_asyncapi", "described_as"]
