"""Dialogues that are declared: a state machine whose states say what the bot asks and what it takes for an answer.

- `definition`: from what is written to a machine of `spikard.fsm` and the blocks of its states
- `block`: what a state says and takes
- `conversation`: one update, brought to the machine
- `dialogue`: what programs use
"""

from spikard.bots.dialogue.dialogue import Dialogue

__all__ = ["Dialogue"]
