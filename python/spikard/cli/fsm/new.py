"""Machines to begin with, as files."""

import re
from pathlib import Path

from spikard.cli.fsm import options
from spikard.cli.fsm.outcome import EXIT_DONE, EXIT_USAGE, Failure, print_json, print_rows, write_text

_NAME = re.compile(r"machine_name: *\S+")


def run(arguments: list[str]) -> int:
    """Write a machine and its scenarios, or list what there is."""
    parser = options.command_parser(
        "new", "Write a machine to begin with, and scenarios for it, or list what there is."
    )
    parser.add_argument("name", metavar="NAME", nargs="?", help="of the machine, and of its file (list the templates)")
    parser.add_argument("--template", default="blank", help="which one (blank)")
    parser.add_argument("--directory", metavar="DIR", type=Path, default=Path(), help="where (the working directory)")
    given = parser.parse_args(arguments)
    from spikard.fsm.names import validate_name
    from spikard.fsm.template_gallery import scenario_text, template_names, template_text

    if given.name is None:
        rows = [{"template": name, "machine": _about(template_text(name))} for name in template_names()]
        print_rows(rows, ("template", "machine"), as_json=given.json, name="templates", nothing="no templates")
        return EXIT_DONE
    try:
        name = validate_name(given.name, "NAME")
        texts = {".yaml": template_text(given.template), ".scenarios.yaml": scenario_text(given.template)}
    except ValueError as error:
        raise Failure(str(error), EXIT_USAGE) from None
    files = {given.directory / f"{name}{end}": text for end, text in texts.items()}
    for path in files:
        if path.exists():
            raise Failure(f"{path} is there already", hint="choose another name, or another --directory")
    for path, text in files.items():
        # Scenarios name no machine; the line is the definition's own.
        write_text(_NAME.sub(f"machine_name: {name}", text, count=1) if path.name == f"{name}.yaml" else text, path)
    if given.json:
        print_json({"name": name, "template": given.template, "files": [str(path) for path in files]})
    else:
        print("\n".join(f"wrote {path}" for path in files))
    return EXIT_DONE


def _about(text: str) -> str:
    from spikard.fsm.config_text import as_mapping, read_text

    meta = as_mapping(read_text(text).value(), "a template").get("meta") or {}
    return str(meta.get("description") or meta.get("machine_name") or "")
