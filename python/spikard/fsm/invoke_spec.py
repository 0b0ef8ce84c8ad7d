"""Services that live as long as a state is active."""

from typing import Any

from spikard.fsm.frozen import frozen


@frozen
class InvokeSpec:
    """A service started when its state is entered and stopped when it is left."""

    id: str
    src: str
    on_done: str | None = None
    on_error: str | None = None

    def to_config(self) -> dict[str, Any]:
        """The service as configurations write it."""
        config: dict[str, Any] = {"id": self.id, "src": self.src}
        if self.on_done is not None:
            config["on_done"] = self.on_done
        if self.on_error is not None:
            config["on_error"] = self.on_error
        return config
