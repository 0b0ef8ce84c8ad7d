"""Which crate may know which: the rules of ARCHITECTURE.md, read from the real graph."""

from tests.house.repository import CrateGraph, Repository, names

EDGES = {
    "core-fsm": set(),
    "core-http": set(),
    "core-validate": set(),
    "py-bindings": {"core-fsm", "core-http", "core-validate"},
}
PYTHON = {"pyo3", "pyo3-ffi", "pyo3-macros"}
# A pure crate neither waits nor opens anything.
PURE = {"core-fsm", "core-validate"}
EFFECTS = {"tokio", "hyper", "mio", "socket2", "rustix"}


def test_edges_between_our_crates(crates: CrateGraph) -> None:
    ours = crates.ours()
    found = {name: names(crate.needs("normal", "build", "dev")) & ours.keys() for name, crate in ours.items()}
    assert found == EDGES


def test_only_the_bindings_know_python(crates: CrateGraph) -> None:
    for name in crates.ours().keys() - {"py-bindings"}:
        assert not names(crates.closure(name)) & PYTHON, name
    assert "pyo3" in names(crates.closure("py-bindings"))


def test_pure_crates_have_no_runtime(crates: CrateGraph) -> None:
    for name in PURE:
        assert not names(crates.closure(name)) & EFFECTS, name


def test_the_core_forbids_unsafe_code(repository: Repository, crates: CrateGraph) -> None:
    for name in crates.ours().keys() - {"py-bindings"}:
        assert "#![forbid(unsafe_code)]" in repository.text(f"crates/{name}/src/lib.rs"), name


def test_both_artefacts_are_built_with_the_same_features(repository: Repository) -> None:
    # Otherwise cargo compiles every shared dependency twice; see tools/build_backend.py.
    features = repository.toml("pyproject.toml")["tool"]["maturin"]["features"]
    assert f'FEATURES = "{",".join(features)}"' in repository.text("tools/build_backend.py")


def test_a_panic_unwinds_in_every_profile(repository: Repository) -> None:
    # With `abort` one bad request would end the worker.
    for name, profile in repository.toml("Cargo.toml")["profile"].items():
        assert profile.get("panic", "unwind") == "unwind", name
