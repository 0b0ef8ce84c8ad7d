"""A Markdown page with programs in it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FENCE = re.compile(r"^```(\w*)[ \t]*\n(.*?)^```[ \t]*$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    code: str
    line: int
    """Where its code begins in the page, from 1."""


@dataclass(frozen=True)
class Document:
    """A page. Its Python blocks are one program, run from top to bottom."""

    path: Path

    def blocks(self, language: str) -> Iterator[Block]:
        """The blocks in one language."""
        text = self.path.read_text(encoding="utf-8")
        for found in FENCE.finditer(text):
            if found[1] == language:
                yield Block(found[1], found[2], text.count("\n", 0, found.start(2)) + 1)

    def run(self) -> dict[str, Any]:
        """Execute the Python blocks; gives the namespace they leave. Tracebacks show lines of the page."""
        namespace: dict[str, Any] = {"__name__": f"page_{self.path.stem}"}
        for block in self.blocks("python"):
            program = compile("\n" * (block.line - 1) + block.code, str(self.path), "exec")
            exec(program, namespace)
        return namespace
