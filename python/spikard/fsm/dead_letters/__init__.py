"""What could not be done, kept for operators.

- `record`, `protocol`: what is kept, and what keeps it
- `memory`, `file`, `database`, `synchronous`: keepers
- `retry_engine`, `ttl_cleaner`: trying again, and forgetting
- `client`, `redrive`, `settings`: for operators, back into queues, and from configuration
- `errors`: what goes wrong
"""
