"""Reports in colours, on terminals, where `rich` is installed."""

import sys

PATTERNS = (
    (r"(?m)^\S[^\n]*?(?=: (?:error|warning|info)\[)", "bold"),
    (r"\berror\[\w+\]", "bold red"),
    (r"\bwarning\[\w+\]", "bold yellow"),
    (r"\binfo\[\w+\]", "bold cyan"),
    (r"(?m)^ *\d* \|", "blue"),
    (r"(?m)\^+$", "bold red"),
    (r"(?m)^ += help:", "bold green"),
)


def print_report(text: str) -> None:
    """Print a report of findings."""
    if not sys.stdout.isatty():
        print(text)
        return
    try:
        from rich.console import Console
        from rich.text import Text
    except ImportError:
        print(text)
        return
    painted = Text(text)
    for pattern, style in PATTERNS:
        painted.highlight_regex(pattern, style)
    Console(soft_wrap=True).print(painted)
