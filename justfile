# Shorthands; none is needed. `.ci/test --list` names the stages of `just test`.

run:
    spikard serve examples/hello.py --reload

test *stages:
    .ci/test {{ stages }}

build:
    pip install -e '.[test]'

format:
    cargo fmt --all
    ruff check --fix .
    ruff format .
