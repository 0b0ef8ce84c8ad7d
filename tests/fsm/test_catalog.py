"""Guards, actions and machines by name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from spikard.fsm import (
    ActionRegistry,
    CatalogEntry,
    ConfigurationError,
    GuardRegistry,
    InMemoryMachineStore,
    MachineNotFoundError,
    SQLAlchemyMachineStore,
    apply_catalog_entries,
    build_machine_from_store,
    catalog_entries_to_yaml_text,
    load_manifest_path,
    parse_machine,
    parse_manifest_yaml_text,
    resolve_entry_point,
)  # fmt: skip
from spikard.fsm.machine_stores.version import version_key

MANIFEST = """\
actions:
- name: join
  entry_point: os.path:join
  description: "joins: paths"
  params_schema: {"type": "object"}
  version_label: v1
- name: old
  entry_point: os.path:join
  enabled: false
- name: twice
  implementation_kind: source_code
  source_code: "def twice(context):\\n    return 2 * context['n']\\n"
guards:
- name: is_there
  entry_point: os.path:exists
"""


def test_entry_points() -> None:
    import os.path

    assert resolve_entry_point(" os.path:join ") is os.path.join
    assert resolve_entry_point("collections:OrderedDict.fromkeys")(["a"]) == {"a": None}


@pytest.mark.parametrize(
    ("spec", "kind", "message"),
    [
        ("os.path", ValueError, r"Invalid entry point 'os\.path': expected 'module:attr' or 'module:nested\.attr'"),
        ("os:", ValueError, "Invalid entry point 'os:': empty module or attribute"),
        ("nope.mod:x", ValueError, r"Cannot import module 'nope\.mod' for entry point 'nope\.mod:x'"),
        ("os:nope", AttributeError, "nope"),
        ("os:sep", TypeError, r"Entry point 'os:sep' does not resolve to a callable \(got str\)"),
    ],
)
def test_entry_points_that_lead_nowhere(spec: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        resolve_entry_point(spec)


def test_packages_are_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPIKARD_FSM_CATALOG_PACKAGES", "collections, shop")
    resolve_entry_point("collections.abc:Callable")
    with pytest.raises(ValueError, match="Entry point 'collections2:x' is not in the packages of SPIKARD_FSM_CATALOG"):
        resolve_entry_point("collections2:x")
    monkeypatch.setenv("SPIKARD_FSM_CATALOG_PACKAGES", "")
    with pytest.raises(ValueError, match="is not in the packages"):
        resolve_entry_point("os.path:join")


def test_manifests_come_back(tmp_path: Path) -> None:
    entries = parse_manifest_yaml_text(MANIFEST)
    assert [(entry.kind, entry.name, entry.enabled) for entry in entries] == [
        ("action", "join", True),
        ("action", "old", False),
        ("action", "twice", True),
        ("guard", "is_there", True),
    ]
    assert entries[0] == CatalogEntry(
        "action",
        "join",
        "os.path:join",
        description="joins: paths",
        params_schema={"type": "object"},
        version_label="v1",
    )
    assert catalog_entries_to_yaml_text(reversed(entries)) == MANIFEST
    (tmp_path / "all.yaml").write_text(MANIFEST, encoding="utf-8")
    assert load_manifest_path(tmp_path / "all.yaml") == entries
    odd = [CatalogEntry("guard", "no", "a:b", description="${HOME} #x", version_label="1.0")]
    assert parse_manifest_yaml_text(catalog_entries_to_yaml_text(odd)) == odd
    assert catalog_entries_to_yaml_text([]) == "# Empty registry catalog\n"
    assert parse_manifest_yaml_text(catalog_entries_to_yaml_text([])) == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[]", "Registry manifest must be a mapping at the top level"),
        ("actions: 3", "Registry manifest 'actions' must be a list"),
        ("guards: [3]", "Registry manifest 'guards' item 0 must be a mapping"),
        ("actions: [{}]", "Registry manifest 'actions' item 0 needs non-empty string 'name'"),
        ("actions: [{name: x}]", "Registry manifest 'actions' item 0 needs non-empty string 'entry_point'"),
        ("actions: [{name: X y}]", r"item 0 name must contain only lowercase letters .* Got: 'X y'"),
        (
            "actions: [{name: x, implementation_kind: magic}]",
            "item 'x': 'implementation_kind' must be 'entry_point' or 'source_code'",
        ),
        (
            "actions: [{name: x, implementation_kind: source_code}]",
            "item 'x': source_code implementation needs non-empty string 'source_code'",
        ),
        ("actions: [{name: x, entry_point: 'a:b', enabled: 'no'}]", "item 'x': 'enabled' must be a boolean"),
        ("actions: [{name: x, entry_point: 'a:b', params_schema: 3}]", "item 'x': 'params_schema' must be an object"),
        ("a: [", "Invalid YAML in registry manifest"),
    ],
)
def test_manifests_that_are_wrong(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_manifest_yaml_text(text)


def test_manifests_that_are_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="Registry manifest not found"):
        load_manifest_path(tmp_path / "none.yaml")


def test_entries_are_registered(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    actions, guards = ActionRegistry(), GuardRegistry()
    entries = [
        *parse_manifest_yaml_text(MANIFEST),
        CatalogEntry("guard", "lost", "nope:x"),
        CatalogEntry("action", "none"),
    ]
    assert apply_catalog_entries(actions, guards, entries) == (2, 2)
    assert "join" in actions
    assert "old" not in actions
    assert "twice" not in actions
    assert "is_there" in guards
    assert "Skip action 'twice': source_code catalog callables are disabled" in caplog.text
    assert "Skip guard 'lost': cannot resolve entry_point implementation 'nope:x': Cannot import" in caplog.text
    monkeypatch.setenv("SPIKARD_FSM_ALLOW_CATALOG_CODE", "1")
    entries = [CatalogEntry("action", "out", None, "source_code", "import os\ndef out(context): pass"), *entries]
    assert apply_catalog_entries(actions, guards, entries) == (3, 3)
    assert "twice" in actions


def test_what_is_known_of_an_action_is_its_metadata() -> None:
    actions = ActionRegistry()
    schema = {"type": "object"}
    entry = CatalogEntry("action", "dump", "json:dumps", description="As text", params_schema=schema)
    assert apply_catalog_entries(actions, GuardRegistry(), [entry]) == (1, 0)
    assert actions.get_metadata("dump") == {"description": "As text", "params_schema": schema, "source": "manifest"}


def test_databases_do_not_choose_what_is_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    entries = [CatalogEntry("action", "join", "os.path:join", source="database")]
    assert apply_catalog_entries(ActionRegistry(), GuardRegistry(), entries) == (0, 1)
    monkeypatch.setenv("SPIKARD_FSM_CATALOG_PACKAGES", "os")
    assert apply_catalog_entries(ActionRegistry(), GuardRegistry(), entries) == (1, 0)


def definition(name: str, version: str, state: str = "a") -> Any:
    return parse_machine(
        {
            "meta": {"machine_name": name, "version": version},
            "states": [{"name": state, "type": "initial"}],
            "transitions": [],
        }
    )


@pytest.fixture(params=["memory", "sqlite"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Any]:
    made = InMemoryMachineStore() if request.param == "memory" else SQLAlchemyMachineStore(f"sqlite:///{tmp_path}/m.db")
    made.connect()
    yield made
    made.disconnect()


def test_machines_are_kept_by_version(store: Any) -> None:
    name = f"m_{uuid4().hex}"
    assert store.get(name) is None
    ids = {store.save(definition(name, version)) for version in ("1.9.0", "1.10.0", "1.10.0-rc.1", "1.0.0")}
    assert len(ids) == 4
    assert store.get(name).version == "1.10.0"
    assert store.get(name, "1.0.0") == definition(name, "1.0.0")
    assert store.get(name, "7.0.0") is None
    assert store.save(definition(name, "1.0.0", "b")) in ids
    assert store.get(name, "1.0.0").states[0]["name"] == "b"
    assert len(store.list(name)) == 4
    assert set(store.list(name)[0].config) <= set(store.list()[0].config) | {"meta"}
    assert build_machine_from_store(store, name, "1.0.0").get_initial_state().name == "b"
    assert store.delete(name, "1.10.0")
    assert not store.delete(name, "1.10.0")
    assert store.get(name).version == "1.10.0-rc.1"
    with pytest.raises(MachineNotFoundError, match=f"Machine '{name}' version '7' not found in store"):
        build_machine_from_store(store, name, "7")


def test_versions_are_ordered_as_semantic_versioning_does() -> None:
    ordered = [
        "odd",
        "1.0.0-alpha",
        "1.0.0-alpha.1",
        "1.0.0-alpha.beta",
        "1.0.0-beta.2",
        "1.0.0-beta.11",
        "1.0.0-rc.1",
        "1.0.0",
        "v1.1",
        "2",
    ]
    backwards = ordered[::-1]
    backwards.sort(key=version_key)
    assert backwards == ordered
    assert version_key("1.0.0+build.1") == version_key("1.0.0")
