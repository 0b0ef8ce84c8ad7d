"""Licences and duplicates of the crates we link, by the rules in deny.toml; Python libraries have both bounds."""

import re
from collections import Counter

from tests.house.repository import CrateGraph, Repository


def test_licences_are_allowed(repository: Repository, crates: CrateGraph) -> None:
    allowed = set(repository.toml("deny.toml")["licenses"]["allow"])
    refused = {crate.name: crate.licence for crate in crates.crates if not _is_allowed(crate.licence, allowed)}
    assert refused == {}


def test_licence_expressions() -> None:
    allowed = {"MIT", "Apache-2.0", "Unicode-3.0"}
    assert _is_allowed("MIT OR LGPL-2.1-or-later", allowed)
    assert _is_allowed("GPL-3.0/MIT", allowed)
    assert _is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0", allowed)
    assert not _is_allowed("MIT AND GPL-3.0", allowed)
    assert not _is_allowed("(MIT OR Apache-2.0) AND GPL-3.0", allowed)
    assert not _is_allowed("GPL-3.0", allowed)
    assert not _is_allowed("", allowed)


def test_no_crate_is_linked_in_two_versions(repository: Repository, crates: CrateGraph) -> None:
    linked = crates.closure("py-bindings") | crates.closure("core-http")
    counts = Counter(key.split()[0] for key in linked)
    known = {entry["crate"].split("@")[0] for entry in repository.toml("deny.toml")["bans"]["skip"]}
    assert {name for name, count in counts.items() if count > 1} == known


def test_python_dependencies_are_bounded(repository: Repository) -> None:
    project = repository.toml("pyproject.toml")["project"]
    requirements = [
        *project["dependencies"],
        *(one for extra in project["optional-dependencies"].values() for one in extra),
    ]
    for requirement in requirements:
        if not requirement.startswith("spikard["):
            assert re.match(r"[\w-]+(\[\w+\])?>=[\d.]+(,<\d[\d.]*)?($|;)", requirement), requirement


def test_few_dependencies_at_run_time(repository: Repository) -> None:
    names = {re.split(r"[<>=\[; ]", one)[0] for one in repository.toml("pyproject.toml")["project"]["dependencies"]}
    assert names == {"msgspec"}, "a new one is justified in ARCHITECTURE.md first"


def _is_allowed(expression: str, allowed: set[str]) -> bool:
    """Whether an SPDX expression can be satisfied by allowed licences; `/` is the old way to write OR."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))
    return bool(tokens) and _either(tokens, allowed) and not tokens


def _either(tokens: list[str], allowed: set[str]) -> bool:
    verdict = _all_of(tokens, allowed)
    while tokens and tokens[0] == "OR":
        tokens.pop(0)
        verdict = _all_of(tokens, allowed) or verdict
    return verdict


def _all_of(tokens: list[str], allowed: set[str]) -> bool:
    verdict = _one(tokens, allowed)
    while tokens and tokens[0] == "AND":
        tokens.pop(0)
        verdict = _one(tokens, allowed) and verdict
    return verdict


def _one(tokens: list[str], allowed: set[str]) -> bool:
    token = tokens.pop(0)
    if token == "(":
        verdict = _either(tokens, allowed)
        tokens.pop(0)
        return verdict
    if tokens and tokens[0] == "WITH":
        tokens.pop(0)
        token = f"{token} WITH {tokens.pop(0)}"
    return token in allowed
