"""The open sample machines, where they are at hand: they build as they should and answer as they should."""

import pytest

from spikard.fsm import ConfigurationError, StateMachine
from tests.fsm.open_machines import OpenMachine, disagreements, open_machines

MACHINES = list(open_machines())

if MACHINES:

    @pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
    def test_a_sample_builds_if_it_should(machine: OpenMachine) -> None:
        if machine.entry["builds"] is False:
            with pytest.raises(ConfigurationError):
                StateMachine.from_dict(machine.config)
        elif machine.entry["builds"]:
            assert StateMachine.from_dict(machine.config).initial_leaf == machine.entry["initial"]

    @pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine.name)
    def test_a_sample_answers_as_recorded(machine: OpenMachine) -> None:
        assert [found for record in machine.records for found in disagreements(machine, record)] == []
