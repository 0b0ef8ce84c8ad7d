"""Work in SQL, apart from who waits: a series of statements in one transaction.

Statements come out with their parameters, and rows come back; a database's own module runs them. `?` is a value, `?j`
one that is JSON; words in braces differ between databases.
"""

from collections.abc import Generator, Sequence
from typing import Any, Literal

Row = Sequence[Any]
Work = Generator[tuple[str, tuple[Any, ...]], list[Row], Any]
Mode = Literal["read", "write"]
