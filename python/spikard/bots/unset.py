"""What stands for an argument that was not given, where None means something."""

from msgspec import UNSET, UnsetType

__all__ = ["UNSET", "UnsetType"]
