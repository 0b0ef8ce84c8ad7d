"""Machines in the database, where workers find them."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikard.cli.fsm import machine_file, options
from spikard.cli.fsm.database import add_database, opened
from spikard.cli.fsm.outcome import EXIT_DONE, Failure, print_json, print_rows, write_text

if TYPE_CHECKING:
    from spikard.fsm.machine_definition import MachineDefinition


def run(arguments: list[str]) -> int:
    """Run one of the subcommands."""
    given = parser().parse_args(arguments)
    done: int = given.call(given)
    return done


def parser() -> argparse.ArgumentParser:
    """What they take."""
    whole = argparse.ArgumentParser(prog="spikard fsm machines", description="Manage machines in the database.")
    commands = whole.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, call: object, purpose: str) -> argparse.ArgumentParser:
        one = options.add_command(commands, name, call, purpose)
        add_database(one)
        return one

    add("list", list_all, "list machines").add_argument("--name", help="only of this name")
    one = add("get", get, "print the definition of a machine as YAML")
    one.add_argument("name", metavar="NAME")
    one.add_argument("--version", help="which version (the newest)")
    one.add_argument("-o", "--output", metavar="FILE", type=Path, help="write it to a file")
    one = add("create", create, "keep the machine of a file")
    options.add_file(one)
    options.add_variables(one)
    one.add_argument("--replace", action="store_true", help="also where another of this name and version is kept")
    one = add("delete", delete, "forget a machine")
    one.add_argument("name", metavar="NAME")
    one.add_argument("version", metavar="VERSION")
    one = add("seed", seed, "keep machines of a directory, or the templates")
    one.add_argument("directory", nargs="?", type=Path, help="where the files are (the templates of the package)")
    one = add("activate", activate, "have workers take this version, and no other of its name")
    one.add_argument("name", metavar="NAME")
    one.add_argument("version", metavar="VERSION")
    return whole


def list_all(given: argparse.Namespace) -> int:
    """List them."""
    from spikard.fsm.machine_stores.database import SQLAlchemyMachineStore

    with opened(given.database) as store:
        rows = SQLAlchemyMachineStore("", store=store).summaries(given.name)
    columns = ("name", "version", "status", "revision", "states", "updated_at", "description")
    print_rows(rows, columns, as_json=given.json, name="machines", nothing="no machines")
    return EXIT_DONE


def get(given: argparse.Namespace) -> int:
    """Print one."""
    from spikard.fsm.machine_stores.database import SQLAlchemyMachineStore
    from spikard.openapi import to_yaml

    with opened(given.database) as store:
        found = SQLAlchemyMachineStore("", store=store).get(given.name, given.version)
    if found is None:
        raise unknown(given.name, given.version)
    if given.json:
        print_json({"name": found.name, "version": found.version, "config": found.config})
    else:
        write_text(to_yaml(found.config), given.output)
    return EXIT_DONE


def create(given: argparse.Namespace) -> int:
    """Keep one."""
    from spikard.fsm.machine_definition import parse_machine
    from spikard.fsm.machine_stores.database import SQLAlchemyMachineStore

    definition = parse_machine(machine_file.load(given.file, options.variables(given.var)))
    with opened(given.database) as store:
        machines = SQLAlchemyMachineStore("", store=store)
        known = machines.get(definition.name, definition.version)
        if known is not None and known.config != definition.config and not given.replace:
            raise Failure(
                f"another machine {definition.name} {definition.version} is kept already",
                hint="give it another version, or say --replace",
            )
    return keep_all([definition], given.database, as_json=given.json)


def delete(given: argparse.Namespace) -> int:
    """Forget one."""
    from spikard.fsm.machine_stores.database import SQLAlchemyMachineStore

    with opened(given.database) as store:
        if not SQLAlchemyMachineStore("", store=store).delete(given.name, given.version):
            raise unknown(given.name, given.version)
    return told(given, "deleted")


def seed(given: argparse.Namespace) -> int:
    """Keep several."""
    return keep_all(seeds(given.directory), given.database, as_json=given.json)


def activate(given: argparse.Namespace) -> int:
    """Put one in the place of the other versions."""
    from spikard.fsm.machine_stores.database import SQLAlchemyMachineStore

    with opened(given.database) as store:
        if not SQLAlchemyMachineStore("", store=store).activate(given.name, given.version):
            raise unknown(given.name, given.version)
    return told(given, "active")


def seeds(directory: Path | None) -> "list[MachineDefinition]":
    """The machines of a directory, a file of which may hold several; the templates where no directory is given."""
    from spikard.fsm.config_text import read_file, read_text
    from spikard.fsm.machine_definition import parse_machine
    from spikard.fsm.submachine import resolve_submachines
    from spikard.fsm.template_gallery import template_names, template_text

    found: list[dict[str, Any]] = []
    if directory is None:
        found = [resolve_submachines(read_text(template_text(name)).value()) for name in template_names()]
    elif not directory.is_dir():
        raise Failure(f"{directory} is not a directory")
    else:
        for path in options.machine_files([str(directory)]):
            value = read_file(path).value()
            if isinstance(value, list):
                found += [resolve_submachines(one, path.parent) for one in value]
            else:
                found.append(machine_file.load(path))
    return [parse_machine(config) for config in found]


def keep_all(definitions: "Iterable[MachineDefinition]", url: str | None, *, as_json: bool) -> int:
    """Keep machines, and say which."""
    from spikard.fsm.machine_stores.database import SQLAlchemyMachineStore

    kept = []
    with opened(url) as store:
        machines = SQLAlchemyMachineStore("", store=store)
        for definition in definitions:
            machine_id = machines.save(definition)
            kept.append({"id": machine_id, "name": definition.name, "version": definition.version})
    if as_json:
        print_json({"machines": kept, "count": len(kept)})
    else:
        for one in kept:
            print(f"kept {one['name']} {one['version']}")
    return EXIT_DONE


def unknown(name: str, version: str | None) -> Failure:
    """There is no such machine."""
    return Failure(
        f"there is no machine {name}{'' if version is None else f' {version}'}", hint="spikard fsm machines list"
    )


def told(given: argparse.Namespace, what: str) -> int:
    """Say what was done with a version."""
    if given.json:
        print_json({"name": given.name, "version": given.version, "result": what})
    else:
        print(f"{given.name} {given.version}: {what}")
    return EXIT_DONE
