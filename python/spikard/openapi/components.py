"""The schemas that operations share."""

import enum
import re
from collections.abc import Mapping
from typing import Any

from spikard.openapi.keywords import escaped, modern, rewritten, subschemas
from spikard.schema import model
from spikard.schema.annotation import peel
from spikard.schema.build import Schema, SchemaBuilder, UnsupportedType
from spikard.schema.kind import Kind, kind_of

PLACE = "#/components/schemas/"
LOCAL = "#/$defs/"
# References that lead to a definition and not into it.
SIMPLE = re.compile(r"#/(?:\$defs|definitions)/([^/]+)")
NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9._-]+")


class Components(SchemaBuilder):
    """Builds schemas whose named types all are components; a type that no schema describes may be anything.

    `reserved` are schemas that others may refer to by name, `types` the types they stand for; only what is in use
    becomes a component.
    """

    def __init__(self, reserved: Mapping[str, Schema], types: Mapping[Any, str]) -> None:
        super().__init__()
        self.definitions.update(reserved)
        self._types = dict(types)
        self._used: set[str] = set()

    def of_type(self, annotation: Any) -> Schema:
        """The schema of a type, as part of the document."""
        return self._finished(self.build(annotation))

    def of_schema(self, schema: Mapping[str, Any], name: str) -> Schema:
        """A self-contained schema as part of the document; `name` is for one that refers to its own inside."""
        return self._finished(self._adopted(dict(schema), name))

    def component(self, schema: Mapping[str, Any], name: str) -> Schema:
        """A self-contained schema of an object as a component, named by its title."""
        adopted = self._adopted(dict(schema), name)
        if "properties" not in adopted or "title" not in adopted:
            return self._finished(adopted)
        target = _clean(str(adopted["title"]))
        while self.definitions.get(target, adopted) != adopted:
            target += "_"
        self.definitions[target] = adopted
        return self._finished({"$ref": LOCAL + target})

    def named(self, name: str) -> Schema:
        """A reference to a reserved schema."""
        return self._finished({"$ref": LOCAL + name})

    def resolved(self, schema: Schema) -> Schema:
        """The schema that a reference leads to; any other is itself."""
        reference = schema.get("$ref")
        if isinstance(reference, str) and reference.startswith(PLACE):
            return self.definitions.get(reference.removeprefix(PLACE), {})
        return schema

    def schemas(self) -> dict[str, Schema]:
        """All components in use, sorted by name."""
        finished: dict[str, Schema] = {}
        while waiting := sorted(name for name in self._used if name not in finished):
            for name in waiting:
                finished[name] = self._finished(self.definitions[name])
        return dict(sorted(finished.items()))

    def build(self, annotation: Any) -> Schema:
        """The schema of a type; what cannot be described says nothing."""
        core = peel(annotation).core
        if isinstance(core, type) and core in self._types:
            return {"$ref": LOCAL + self._types[core]}
        try:
            return super().build(annotation)
        except (UnsupportedType, NameError):
            return {}
        except Exception as fault:
            if _is_of_pydantic(fault):
                return {}
            raise

    def _class(self, cls: type, arguments: tuple[Any, ...]) -> Schema:
        if not issubclass(cls, enum.Enum):
            return super()._class(cls, arguments)
        if cls not in self._names:
            name = self._names[cls] = self._free_name(cls)
            self.definitions[name] = super()._class(cls, arguments)
        return {"$ref": LOCAL + self._names[cls]}

    def _named(self, core: Any) -> Schema:
        if kind_of(core) is not Kind.PYDANTIC or core in self._names:
            return super()._named(core)
        # Pydantic writes models inside others as definitions, but the one asked for in full.
        schema = self._adopt(model.json_schema(core))
        if schema.keys() == {"$ref"}:
            self._names[core] = schema["$ref"].removeprefix(LOCAL)
            return schema
        name = _clean(str(schema.get("title") or getattr(core, "__name__", "Model")))
        if self.definitions.get(name, schema) != schema:
            name = self._free_name(core)
        self._names[core] = name
        self.definitions[name] = schema
        return {"$ref": LOCAL + name}

    def _free_name(self, core: Any) -> str:
        name = _clean(super()._free_name(core))
        candidates = (f"{name}_{number}" if number else name for number in range(len(self.definitions) + 1))
        return next(candidate for candidate in candidates if candidate not in self.definitions)

    def _adopt(self, schema: Schema) -> Schema:
        return self._adopted(schema, _clean(str(schema.get("title") or "Schema")))

    def _adopted(self, schema: Schema, name: str) -> Schema:
        """Take over the definitions of a finished schema."""
        references = [str(inner["$ref"]) for _, inner in subschemas(schema) if "$ref" in inner]
        definitions = {**_mapping(schema, "definitions"), **_mapping(schema, "$defs")}
        known = all((found := SIMPLE.fullmatch(one)) and _unescaped(found[1]) in definitions for one in references)
        if not known:
            return self._kept_whole(schema, name)
        schema = {keyword: value for keyword, value in schema.items() if keyword not in ("$defs", "definitions")}
        targets = self._targets(definitions)
        for old, definition in definitions.items():
            self.definitions[targets[old]] = _redirected(definition, targets)
        adopted: Schema = _redirected(schema, targets)
        return adopted

    def _targets(self, definitions: Mapping[str, Schema]) -> dict[str, str]:
        """A component's name for each definition: its own unless another schema has it."""
        targets = {old: _clean(old) for old in definitions}
        while True:
            clashes = [
                old
                for old, target in targets.items()
                if target in self.definitions and self.definitions[target] != _redirected(definitions[old], targets)
            ]
            if not clashes:
                return targets
            for old in clashes:
                targets[old] += "_"

    def _kept_whole(self, schema: Schema, name: str) -> Schema:
        """A schema with references into itself: a component, to which they lead."""
        anchors = {
            f"#{inner[word]}": pointer
            for pointer, inner in subschemas(schema)
            for word in ("$anchor", "$dynamicAnchor")
            if word in inner
        }
        name = _clean(name)
        while name in self.definitions:
            name += "_"

        def redirect(inner: Schema) -> Schema:
            inner = {keyword: value for keyword, value in inner.items() if "nchor" not in keyword}
            for word in ("$ref", "$dynamicRef"):
                target = inner.pop(word, None)
                if isinstance(target, str) and target.startswith("#"):
                    pointer = anchors.get(target, target.removeprefix("#"))
                    inner["$ref"] = f"{LOCAL}{escaped(name)}{pointer}"
            return inner

        self.definitions[name] = {}
        self.definitions[name] = rewritten(schema, redirect)
        return {"$ref": LOCAL + name}

    def _finished(self, schema: Schema) -> Schema:
        """The schema in the words of the document; the components it names are in use from now on."""
        finished: Schema = rewritten(schema, lambda inner: self._placed(modern(inner)))
        return finished

    def _placed(self, schema: Schema) -> Schema:
        if isinstance(schema.get("$ref"), str):
            schema = {**schema, "$ref": self._place(schema["$ref"])}
        discriminator = schema.get("discriminator")
        if isinstance(discriminator, Mapping) and "mapping" in discriminator:
            mapping = {value: self._place(target) for value, target in discriminator["mapping"].items()}
            schema = {**schema, "discriminator": {**discriminator, "mapping": mapping}}
        return schema

    def _place(self, reference: str) -> str:
        if not reference.startswith(LOCAL):
            return reference
        self._used.add(reference.removeprefix(LOCAL).split("/")[0])
        return PLACE + reference.removeprefix(LOCAL)


def _redirected(schema: Any, targets: Mapping[str, str]) -> Any:
    def redirect(inner: Schema) -> Schema:
        if isinstance(inner.get("$ref"), str):
            inner = {**inner, "$ref": _moved(inner["$ref"], targets)}
        discriminator = inner.get("discriminator")
        if isinstance(discriminator, Mapping) and "mapping" in discriminator:
            mapping = {value: _moved(target, targets) for value, target in discriminator["mapping"].items()}
            inner = {**inner, "discriminator": {**discriminator, "mapping": mapping}}
        return inner

    return rewritten(schema, redirect)


def _moved(reference: str, targets: Mapping[str, str]) -> str:
    found = SIMPLE.fullmatch(reference)
    return LOCAL + targets[_unescaped(found[1])] if found and _unescaped(found[1]) in targets else reference


def _mapping(schema: Schema, keyword: str) -> Mapping[str, Schema]:
    found = schema.get(keyword)
    return found if isinstance(found, Mapping) else {}


def _unescaped(name: str) -> str:
    return name.replace("~1", "/").replace("~0", "~")


def _clean(name: str) -> str:
    """The name with nothing in it that names of components cannot have."""
    return NOT_IN_NAMES.sub("_", name).strip("_") or "Schema"


def _is_of_pydantic(fault: Exception) -> bool:
    return type(fault).__module__.split(".")[0] in ("pydantic", "pydantic_core")


__all__ = ["Components"]
