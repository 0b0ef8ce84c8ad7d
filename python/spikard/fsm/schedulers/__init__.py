"""Whoever fires events later.

- `adapter`, `task`: what a scheduler does, and what it keeps
- `in_process`: timers of one event loop
"""
