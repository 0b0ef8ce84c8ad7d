"""Guards and actions by name."""

from dataclasses import dataclass
from typing import Any, Literal

CatalogKind = Literal["action", "guard"]
ImplementationKind = Literal["entry_point", "source_code"]


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """A guard or an action, and where its code is."""

    kind: CatalogKind
    name: str
    entry_point: str | None = None
    implementation_kind: ImplementationKind = "entry_point"
    source_code: str | None = None
    description: str | None = None
    params_schema: dict[str, Any] | None = None
    enabled: bool = True
    version_label: str | None = None
    source: Literal["database", "manifest"] = "manifest"
