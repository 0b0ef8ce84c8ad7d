"""How long delayed transitions wait."""

from spikard._spikard import read_delay


def parse_delay(value: int | str) -> int:
    """A delay in milliseconds.

    A whole number is milliseconds already; text has units (`500ms`, `1.5s`, `1h30m`, `2d`, `1w`), is ISO 8601
    (`PT1H30M`) or digits alone. ValueError for anything else, and for what is negative.
    """
    if isinstance(value, str):
        return read_delay(value)
    if isinstance(value, int):
        if value < 0:
            raise ValueError(f"Invalid delay value: {value} is negative")
        return value
    raise ValueError(f"Invalid delay value: {value!r}")
