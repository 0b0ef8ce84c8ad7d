"""The bench of the container still runs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SUBJECTS = ROOT / "benches" / "di" / "subjects"


@pytest.mark.parametrize("name", ["plain", "ours"])
def test_a_subject_gives_figures(name: str) -> None:
    path = os.pathsep.join([str(SUBJECTS), str(ROOT / "python")])
    done = subprocess.run(
        [sys.executable, str(SUBJECTS / f"{name}_subject.py")],
        env={**os.environ, "PYTHONPATH": path, "SPIKARD_BENCH_LOOPS": "10"},
        capture_output=True,
        text=True,
        check=True,
        timeout=25,
    )
    assert json.loads(done.stdout).keys() == {"version", "scope", "singleton", "transient", "handler"}
