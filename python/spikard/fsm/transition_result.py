"""The answer of a machine: a plan, or why there is none."""

from spikard._spikard import TransitionResult

__all__ = ["TransitionResult"]
