"""How long an entity may rest in a state."""

from typing import Any

from spikard.fsm.frozen import frozen


@frozen
class Timeout:
    """After `seconds` in the state, the entity goes to `destination`."""

    seconds: float
    destination: str

    def __post_init__(self) -> None:
        if self.seconds <= 0:
            raise ValueError("Timeout seconds must be positive")
        if not self.destination:
            raise ValueError("Timeout destination cannot be empty")

    def to_config(self) -> dict[str, Any]:
        """The timeout as configurations write it."""
        return {"seconds": self.seconds, "destination": self.destination}
