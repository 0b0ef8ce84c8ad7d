"""Charts: machines that run by the algorithm of SCXML.

- `document`: SCXML read, with what it refers to
- `statechart`, `views`: a chart as a machine, and its states and transitions to look at
- `session`, `step`: one entity in it, and what an event does to it; `computed`: the same without a session
- `translation`, `content`: charts in the format of other machines
- `family`, `timers`: sessions with their children, events between them and events that come later
"""
