"""The command `spikard fsm`: one module for each subcommand, named in the table of `command`.

- `command`: the table, and what happens to errors
- `options`: arguments that several commands have
- `outcome`: exit codes, and how results are printed
- `machine_file`: machines from files
"""
