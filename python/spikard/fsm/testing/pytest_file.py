"""Scenarios as the source of a pytest file."""

import pprint
from collections.abc import Iterable

from spikard.fsm.state_machine import StateMachine
from spikard.fsm.testing.scenario import Scenario

_FILE = '''"""Scenarios of the machine '{name}' {version}, generated from it."""

{imports}

{machine}

SCENARIOS = {scenarios}


@pytest.mark.parametrize("scenario", SCENARIOS, ids=[scenario["name"] for scenario in SCENARIOS])
def test_scenario(scenario):
    run_scenario(build(), scenario).check()
'''
_IMPORTS = """import pytest

from spikard.fsm import StateMachine
from spikard.fsm.testing import run_scenario"""


def to_pytest(machine: StateMachine, scenarios: Iterable[Scenario], source: str | None = None) -> str:
    """The source of a test file that runs scenarios.

    `source` says where the tests take the machine from: the path of its file, or `module:name` of a machine or of a
    function that makes one. Without it, the definition is written into the tests.
    """
    imports = _IMPORTS
    if source is None:
        config = pprint.pformat(machine.to_dict(), width=110, sort_dicts=False)
        built = f"MACHINE = {config}\n\n\ndef build():\n    return StateMachine.from_dict(MACHINE)"
    elif source.endswith((".yaml", ".yml", ".json")):
        built = f"def build():\n    return StateMachine.from_yaml({source!r})"
    else:
        module, colon, name = source.partition(":")
        if not colon or not all(part.isidentifier() for part in (*module.split("."), name)):
            raise ValueError(f"'{source}' is neither a .yaml or .json file nor 'module:name'")
        imports = imports.replace(
            "from spikard.fsm import StateMachine\n",
            f"from {module} import {name}\nfrom spikard.fsm import StateMachine\n",
        )
        built = f"def build():\n    return {name} if isinstance({name}, StateMachine) else {name}()"
    written = pprint.pformat([one.to_config() for one in scenarios], width=110, sort_dicts=False)
    return _FILE.format(name=machine.name, version=machine.version, imports=imports, machine=built, scenarios=written)
