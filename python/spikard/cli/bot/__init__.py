"""The command `spikard bot`: one module for each subcommand, named in the table of `command`.

- `command`: the table, and what happens to errors
- `options`: arguments that several commands have: whose token, which dispatcher, which storage
- `watch`: Python files that change
"""
