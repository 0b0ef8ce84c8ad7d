"""Who may do what.

- `requirement`: what a route demands of whoever asks
"""

from spikard.security.requirement import Requirement, requires

__all__ = ["Requirement", "requires"]
