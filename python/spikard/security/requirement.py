"""What a route demands of whoever asks: scopes, roles, permissions."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Requirement:
    """Names that must be among those of the token, or of the principal of an API key; see `requires`."""

    scopes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    permissions: tuple[str, ...] = ()
    require_all: bool = True
    scopes_claim: str = "scope"
    roles_claim: str = "roles"
    permissions_claim: str = "permissions"

    def __post_init__(self) -> None:
        for field in ("scopes", "roles", "permissions"):
            names = getattr(self, field)
            if not all(isinstance(name, str) and name for name in names):
                raise ValueError(f"requires: {field} must be names that are not empty, not {names!r}")


def requires(
    *,
    scopes: Sequence[str] = (),
    roles: Sequence[str] = (),
    permissions: Sequence[str] = (),
    require_all: bool = True,
    scopes_claim: str = "scope",
    roles_claim: str = "roles",
    permissions_claim: str = "permissions",
) -> Requirement:
    """Demand scopes, roles or permissions for a route; whoever lacks them is answered 403.

        @app.delete("/users/{user_id}", security=requires(roles=["admin"]))
        async def remove(user_id: int) -> None: ...

    With `require_all=False` one of all these names is enough; without any name it is enough to be known. A claim is a
    list of names or a text with blanks between them; dots in its name lead into objects (`realm_access.roles`).
    """
    return Requirement(
        scopes=_names("scopes", scopes),
        roles=_names("roles", roles),
        permissions=_names("permissions", permissions),
        require_all=require_all,
        scopes_claim=scopes_claim,
        roles_claim=roles_claim,
        permissions_claim=permissions_claim,
    )


def _names(field: str, names: Sequence[str]) -> tuple[str, ...]:
    if isinstance(names, str):
        # A text is a sequence of letters, which nobody means.
        raise ValueError(f"requires: {field} must be a list of names, not {names!r}")
    return tuple(names)


__all__ = ["Requirement", "requires"]
