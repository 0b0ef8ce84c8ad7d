"""Where definitions of machines are kept.

- `protocol`: what they can do; `client`: what those derived from it share
- `memory`, `database`: keepers
"""
