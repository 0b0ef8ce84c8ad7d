"""From `module:attribute` or `path/to/file.py` to an application."""

import importlib
import importlib.util
import inspect
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from spikard.errors import ConfigError

if TYPE_CHECKING:
    from spikard.app import Spikard

CONVENTIONAL = ("app", "application")


@dataclass(frozen=True, slots=True)
class Target:
    """Where an application is: a module by name, or a file, and the attribute in it."""

    text: str
    module: str | None
    file: Path | None
    attribute: str | None

    @classmethod
    def parse(cls, text: str) -> "Target":
        """Read `module:attribute`, `module`, `file.py:attribute` or `file.py`."""
        place, colon, attribute = text.rpartition(":")
        if not colon or place.endswith(os.sep) or text.endswith(".py"):
            place, attribute = text, ""
        if colon and not attribute and place != text:
            raise ConfigError(f"the target {text!r} ends with a colon; write module:attribute, or only the module")
        if place.endswith(".py") or os.sep in place:
            return cls(text, None, Path(place), attribute or None)
        if not all(part.isidentifier() for part in place.split(".")):
            raise ConfigError(f"the target {text!r} is neither a module name nor a path to a .py file")
        return cls(text, place, None, attribute or None)


def load(text: str, app_dir: str | None = None) -> "Spikard":
    """Import the target and give its application.

    A target that doesn't exist is a `ConfigError`; what the imported code raises itself comes out as it is.
    """
    target = Target.parse(text)
    return application(imported(target, app_dir), target)


def find(text: str, app_dir: str | None = None) -> object:
    """Import the target and give what its attribute is, whatever that may be."""
    target = Target.parse(text)
    if target.attribute is None:
        raise ConfigError(f"the target {text!r} names no attribute; write module:attribute")
    return attribute(imported(target, app_dir), target.attribute, target)


def imported(target: Target, app_dir: str | None = None) -> ModuleType:
    """The module of a target."""
    if app_dir is not None:
        if not Path(app_dir).is_dir():
            raise ConfigError(f"--app-dir {app_dir} is not a directory")
        sys.path.insert(0, str(Path(app_dir).resolve()))
    elif (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    return import_file(target.file) if target.file else import_module(target.module or "")


def import_module(name: str) -> ModuleType:
    """Import by name; only the absence of this very module is a fault of the target."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as fault:
        if fault.name is None or not (name == fault.name or name.startswith(f"{fault.name}.")):
            raise
        where = "in the current directory" if Path.cwd().samefile(sys.path[0] or ".") else f"in {sys.path[0]}"
        raise ConfigError(f"no module named {name!r} {where} or installed; check the name, or give --app-dir") from None


def import_file(path: Path) -> ModuleType:
    """Import a file: as part of its package if it lies in one, else as a module of its own."""
    if not path.is_file():
        raise ConfigError(f"there is no file {path}; check the path")
    path = path.resolve()
    names, folder = [path.stem], path.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    if path.stem == "__init__":
        names.pop()
    sys.path.insert(0, str(folder))
    name = ".".join(names)
    if len(names) > 1 or path.stem == "__init__":
        return importlib.import_module(name)
    # By its path, since a file may have the name of a module that is imported already.
    spec = importlib.util.spec_from_file_location(name if name not in sys.modules else f"{name}_application", path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def application(module: ModuleType, target: Target) -> "Spikard":
    """The application of an imported module."""
    from spikard.app import Spikard

    if target.attribute is not None:
        return checked(attribute(module, target.attribute, target), target.attribute, target)
    for name in CONVENTIONAL:
        if isinstance(found := getattr(module, name, None), Spikard):
            return found
    apps = {id(value): (name, value) for name, value in vars(module).items() if isinstance(value, Spikard)}
    if len(apps) == 1:
        return next(iter(apps.values()))[1]
    if not apps:
        raise ConfigError(
            f"{target.text} has no Spikard instance; write `app = Spikard()` there, or give {target.text}:name"
        )
    names = ", ".join(sorted(name for name, _ in apps.values()))
    raise ConfigError(f"{target.text} has several Spikard instances ({names}); choose one with {target.text}:name")


def attribute(module: ModuleType, path: str, target: Target) -> object:
    """Follow a dotted attribute."""
    value: object = module
    for name in path.split("."):
        try:
            value = getattr(value, name)
        except AttributeError:
            place = target.module or target.file
            raise ConfigError(
                f"{place} has no attribute {path!r}; check the part after the colon in {target.text!r}"
            ) from None
    return value


def checked(value: object, name: str, target: Target) -> "Spikard":
    """An application, or what a function without arguments returns as one."""
    from spikard.app import Spikard

    if inspect.isfunction(value) and not inspect.iscoroutinefunction(value):
        try:
            inspect.signature(value).bind()
        except TypeError:
            raise ConfigError(
                f"{target.text}: the function {name} needs arguments, so it cannot make the application"
            ) from None
        value = value()
    if not isinstance(value, Spikard):
        raise ConfigError(f"{target.text} is a {type(value).__qualname__}, not a Spikard instance")
    return value
