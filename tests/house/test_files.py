"""Sizes, names and depth of our files."""

import re
from pathlib import Path

import pytest

from tests.house.repository import Repository

LINES = {".py": 500, ".rs": 600, ".pyi": 500}
ARCHITECTURE_LINES = 300
# Longer for a reason.
EXCEPTIONS = {
    "python/spikard/_spikard.pyi": "one native module, one stub",
    "python/spikard/fsm/__init__.py": "one front, each name once for programs and once for type checkers",
}
DRAWERS = {"common", "helper", "helpers", "misc", "util", "utils"}
# Folders below these roots.
DEPTH = 2


@pytest.mark.parametrize("suffix", LINES)
def test_files_are_short(repository: Repository, suffix: str) -> None:
    lengths = {str(path): len(repository.text(path).splitlines()) for path in repository.matching(f"*{suffix}")}
    assert lengths, "no file was looked at"
    assert {path: n for path, n in lengths.items() if n > LINES[suffix] and path not in EXCEPTIONS} == {}


def test_exceptions_are_needed(repository: Repository) -> None:
    for name in EXCEPTIONS:
        assert len(repository.text(name).splitlines()) > LINES[Path(name).suffix], name


def test_no_file_is_a_drawer(repository: Repository) -> None:
    named = {str(path) for path in repository.files if DRAWERS & {path.stem, *path.parent.parts}}
    assert named == set()


def test_the_tree_is_flat(repository: Repository) -> None:
    roots = [re.compile(r"python/spikard/(.+)"), re.compile(r"crates/[^/]+/src/(.+)")]
    deep = []
    for path in repository.files:
        for root in roots:
            found = root.fullmatch(path.as_posix())
            if found and found[1].count("/") > DEPTH:
                deep.append(str(path))
    assert deep == []


def test_no_test_is_skipped(repository: Repository) -> None:
    marks = re.compile(r"@pytest\.mark\.skip|pytest\.skip\(|pytest\.importorskip|^\s*#\[ignore", re.MULTILINE)
    tests = repository.matching("tests/**/test_*.py", "e2e/**/test_*.py", "crates/**/*.rs")
    here = Path(__file__).name
    assert [str(path) for path in tests if path.name != here and marks.search(repository.text(path))] == []


def test_architecture_fits_its_limit(repository: Repository) -> None:
    assert len(repository.text("ARCHITECTURE.md").splitlines()) <= ARCHITECTURE_LINES


def test_links_between_documents_lead_somewhere(repository: Repository) -> None:
    broken = [
        f"{page}: {target}"
        for page in repository.matching("*.md")
        for target in re.findall(r"\]\(([^)#\s]+)", repository.text(page))
        if "://" not in target and not (repository.root / page.parent / target).exists()
    ]
    assert broken == []
