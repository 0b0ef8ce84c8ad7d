"""Descriptions of an application that other programs read.

- `document`: the whole OpenAPI document; `operation`: one route in it
- `channels`: the whole AsyncAPI document
- `parameters`, `request_body`, `answers`, `problems`, `security`: the parts of an operation
- `components`: the schemas that operations share; `keywords`: JSON Schema as a tree
- `signature`: a handler as its plan sees it
- `pages`: the document and the pages that show it, ready to be served; `yaml_text`: documents as YAML
"""

from spikard.config import AsyncApiConfig, ContactInfo, LicenseInfo, OpenApiConfig, SecuritySchemeInfo, ServerInfo
from spikard.openapi.channels import build_asyncapi
from spikard.openapi.document import build_openapi
from spikard.openapi.yaml_text import to_yaml

__all__ = [
    "AsyncApiConfig",
    "ContactInfo",
    "LicenseInfo",
    "OpenApiConfig",
    "SecuritySchemeInfo",
    "ServerInfo",
    "build_asyncapi",
    "build_openapi",
    "to_yaml",
]
