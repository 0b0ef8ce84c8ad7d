"""Dependency injection: values are made when they are needed, with what they need, and cleaned up.

- `container`, `scope`: what is registered, and where values live
- `registration`, `provider`, `key`: keys, lifetimes and ways to make a value
- `layer`, `node`, `need`: the graph, worked out once
- `compiler`, `waiting`: the functions that resolve it
- `signature`, `visible_names`: what a function asks for, and the names its annotations may mean
- `injection`: handlers whose parameters come from the container
"""

from spikard.di.container import Container
from spikard.di.injection import injected
from spikard.di.key import Inject, Named
from spikard.di.registration import Lifetime, Provide
from spikard.di.scope import Scope
from spikard.errors import (
    AsyncDependency,
    CaptiveDependency,
    ContainerClosed,
    ContainerFrozen,
    CyclicDependency,
    DependencyTypeError,
    DIError,
    DuplicateRegistration,
    ScopeError,
    UnknownDependency,
)

__all__ = [
    "AsyncDependency",
    "CaptiveDependency",
    "Container",
    "ContainerClosed",
    "ContainerFrozen",
    "CyclicDependency",
    "DIError",
    "DependencyTypeError",
    "DuplicateRegistration",
    "Inject",
    "Lifetime",
    "Named",
    "Provide",
    "Scope",
    "ScopeError",
    "UnknownDependency",
    "injected",
]
