"""Where definitions of machines are kept.

- `client`: what all of them do
- `memory`, `database`: keepers
"""
