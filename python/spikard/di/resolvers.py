"""Ways from a key to its value, remembered by a layer."""

from typing import TYPE_CHECKING, Any

from spikard.di.compiler import root_resolver, scope_resolver
from spikard.di.registration import Lifetime

if TYPE_CHECKING:
    from spikard.di.layer import Layer


class Resolvers(dict[Any, Any]):
    """The functions that resolve a key in a scope, made when first asked for."""

    __slots__ = ("_layer",)

    def __init__(self, layer: "Layer") -> None:
        super().__init__()
        self._layer = layer

    def __missing__(self, key: Any) -> Any:
        self._layer.container.check_open()
        resolver = self[key] = scope_resolver(self._layer.placed(key, in_scope=True))
        return resolver


class Ready(dict[Any, Any]):
    """Singletons that are there; what is not is resolved in the container itself."""

    __slots__ = ("_layer", "_resolvers")

    def __init__(self, layer: "Layer") -> None:
        super().__init__()
        self._layer = layer
        self._resolvers: dict[Any, Any] = {}

    def __missing__(self, key: Any) -> Any:
        resolver = self._resolvers.get(key)
        container = self._layer.container
        if resolver is not None:
            return resolver(container.root)
        container.check_open()
        node = self._layer.placed(key, in_scope=False)
        resolver = root_resolver(node)
        value = resolver(container.root)
        if node.lifetime is Lifetime.SINGLETON:
            self[key] = value
        else:
            self._resolvers[key] = resolver
        return value

    def clear(self) -> None:
        """Forget the singletons, and how the others are made."""
        super().clear()
        self._resolvers.clear()


__all__ = ["Ready", "Resolvers"]
