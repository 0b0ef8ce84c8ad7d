"""Types that tools built on routes need."""

from spikard.routing.route import Route

__all__ = ["Route"]
