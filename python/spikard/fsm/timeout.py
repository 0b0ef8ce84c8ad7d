"""How long an entity may rest in a state."""

from typing import Any

from spikard.fsm.frozen import frozen

# Whoever adds it to the time of day must not come behind the end of the calendar.
LONGEST = 31_536_000_000


@frozen
class Timeout:
    """After `seconds` in the state, the entity goes to `destination`."""

    seconds: float
    destination: str

    def __post_init__(self) -> None:
        if not self.seconds > 0:
            raise ValueError("Timeout seconds must be positive")
        if self.seconds > LONGEST:
            raise ValueError(f"Timeout seconds must be at most {LONGEST}, which is a thousand years")
        if not self.destination:
            raise ValueError("Timeout destination cannot be empty")

    def to_config(self) -> dict[str, Any]:
        """The timeout as configurations write it."""
        return {"seconds": self.seconds, "destination": self.destination}
