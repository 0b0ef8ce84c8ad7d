"""Files, variables and places in texts."""

from pathlib import Path

import pytest

from spikard.fsm import ConfigLoader, ConfigurationError, check_config, load_config, parse_machine_file

GOOD = "states: [{name: a, type: initial}]\ntransitions: []\n"


def written(folder: Path, text: str, name: str = "machine.yaml") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_yaml_and_json_files_are_read(tmp_path: Path) -> None:
    expected = {"states": [{"name": "a", "type": "initial"}], "transitions": []}
    assert load_config(written(tmp_path, GOOD)) == expected
    assert load_config(written(tmp_path, GOOD, "machine.txt")) == expected
    text = '{"states": [{"name": "a", "type": "initial"}], "transitions": []}'
    assert load_config(written(tmp_path, text, "machine.json")) == expected
    assert load_config(written(tmp_path, text, "machine")) == expected


def test_variables_are_put_in_and_typed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FROM_OUTSIDE", "yes")
    text = (
        "meta: {a: '${N}', b: ${N}, c: '${X:-5}', d: ${X:-5}, e: x${X:-y}z, f: '${}', g: $N, h: ${X:-}, "
        "i: ${FROM_OUTSIDE}}\n" + GOOD
    )
    meta = load_config(written(tmp_path, text), variables={"N": "12"})["meta"]
    assert meta == {
        "a": "12", "b": 12, "c": "5", "d": 5, "e": "xyz", "f": "${}", "g": "$N", "h": None, "i": True,
    }  # fmt: skip


def test_values_of_variables_are_no_yaml(tmp_path: Path) -> None:
    text = "meta: {description: '${TEXT}'}\n" + GOOD
    meta = load_config(written(tmp_path, text), variables={"TEXT": "'}\nstates: []"})["meta"]
    assert meta == {"description": "'}\nstates: []"}


def test_required_variables_say_what_they_need(tmp_path: Path) -> None:
    path = written(tmp_path, "meta: {a: '${KEY:?need it}'}\n" + GOOD)
    with pytest.raises(ConfigurationError, match="Variable substitution error: need it") as caught:
        load_config(path, variables={})
    assert caught.value.context["variable"] == "KEY"
    assert caught.value.path == str(path)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.yaml", "a: [1", "Invalid YAML syntax"),
        ("a.yaml", "a: 1\na: 2\n", r"duplicate key 'a', first given at line 1, column 1 at line 2, column 1"),
        ("a.yaml", "a: &x [*x]", "alias"),
        ("a.yaml", "a: !python/object:os.system x", "tag"),
        ("a.yaml", "- 1", "must be a YAML mapping"),
        ("a.yaml", "", "must be a YAML mapping"),
        ("a.yaml", "a: 1\n---\nb: 2\n", "single document"),
        ("a.yaml", "[" * 500 + "]" * 500, "nested deeper|syntax"),
        ("a.json", "{", "Invalid JSON syntax"),
        ("a.json", '{"a": 1, "a": 2}', "duplicate key 'a'"),
        ("a.json", '{"a": 01}', "not a number"),
        ("a.json", "[" * 500 + "]" * 500, "nested deeper"),
    ],
)
def test_faults_of_texts_are_configuration_errors(tmp_path: Path, name: str, text: str, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        load_config(written(tmp_path, text, name))


def test_aliases_that_multiply_come_to_an_end(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    with pytest.raises(ConfigurationError, match="more than 1000000 values"):
        load_config(written(tmp_path, "\n".join(lines)))


def test_anchors_and_merges_are_understood(tmp_path: Path) -> None:
    text = "base: &b {group: g}\nstates:\n  - {<<: *b, name: a, type: initial}\ntransitions: []\n"
    assert load_config(written(tmp_path, text))["states"] == [{"name": "a", "type": "initial", "group": "g"}]


def test_scalars_have_the_types_of_yaml(tmp_path: Path) -> None:
    text = "meta: {a: on, b: No, c: 010, d: 1e3, e: ~, f: 0x1F, g: 2024-01-01, h: '1', i: .inf, on: 1}\n" + GOOD
    meta = load_config(written(tmp_path, text))["meta"]
    assert meta == {
        "a": True, "b": False, "c": 10, "d": 1000.0, "e": None, "f": 31, "g": "2024-01-01", "h": "1",
        "i": float("inf"), "on": 1,
    }  # fmt: skip


def test_missing_files_are_named() -> None:
    with pytest.raises(ConfigurationError, match=r"Configuration file not found: nowhere\.yaml"):
        load_config("nowhere.yaml")


def test_validation_is_on_unless_refused(tmp_path: Path) -> None:
    path = written(tmp_path, "states: []\ntransitions: []\n")
    with pytest.raises(ConfigurationError, match="validation failed"):
        ConfigLoader().load(path)
    assert ConfigLoader(validate=False).load(path) == {"states": [], "transitions": []}


def test_load_dict_leaves_variables_alone() -> None:
    config = {"meta": {"a": "${X:-5}"}, "states": [{"name": "a", "type": "initial"}], "transitions": []}
    assert ConfigLoader().load_dict(config) == config


def test_files_are_checked_with_lines(tmp_path: Path) -> None:
    path = written(tmp_path, "states:\n- name: a\n  type: initial\n- name: B\ntransitions: []\n")
    [issue] = check_config(path)
    assert (issue.line, issue.column, issue.path) == (4, 9, "states.1.name")


def test_errors_of_files_name_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "states: [{name: a}]\ntransitions: []\n")
    with pytest.raises(ConfigurationError, match="No initial state") as caught:
        load_config(path)
    assert caught.value.path == str(path)
    assert len(caught.value.context["errors"]) == 1


def test_parsed_metadata_has_its_defaults() -> None:
    _, _, meta = ConfigLoader().parse({"states": [{"name": "a", "type": "initial"}], "transitions": []})
    assert meta == {"strict_mode": True, "validate_context": False}


def test_definitions_come_only_from_files_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="Machine config file not found"):
        parse_machine_file(tmp_path / "none.yaml")
