"""Random expressions of the subset that expressions share with Python."""

from random import Random

NAMES = {
    "a": 5,
    "b": -3,
    "big": 10**20,
    "zero": 0,
    "x": 2.5,
    "y": -0.1,
    "flag": True,
    "nothing": None,
    "word": "Hello World",
    "accent": "Grüße, ΣΑΣ",
    "empty": "",
    "numbers": [3, 1, 2, 2],
    "pair": (1, "two"),
    "map": {"k": 1, "list": [1, 2.0], 3: "three", "word": "w"},
}

_NUMBERS = "0 1 2 3 7 10 255 -1 -4 1_000 0x1F 0b101 0.5 1.5 2.675 1e3 1e16 1e-5 -0.0 12345678901234567890".split()
_TEXTS = [
    "''",
    "'a'",
    '"l"',
    "'12'",
    "' 7 '",
    "'1.5e3'",
    "'é\\n'",
    "r'\\d'",
    "'it''s'",
    "'World'",
    "'a,b,,c'",
    "' x  y '",
    "'ǆ ß ﬁ'",
]
_SPECS = [
    "",
    ":>8",
    ":<6",
    ":^7",
    ":*^9",
    ":08",
    ":+",
    ":,",
    ":.2f",
    ":e",
    ":g",
    ":.3",
    ":x",
    ":#b",
    ":10.4f",
    ":_",
    ":%",
    ":s",
]


class Source:
    """Writes expressions, always the same for one seed."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def expression(self, depth: int = 4) -> str:
        """One expression."""
        pick = self._random.choice
        if depth <= 0 or self._random.random() < 0.12:
            return pick([*NAMES, pick(_NUMBERS), pick(_NUMBERS), pick(_TEXTS), "True", "False", "None"])
        return str(pick(self._FORMS)(self, depth - 1))

    def _binary(self, depth: int) -> str:
        operator = self._random.choice("+ - * / // % + - * & | ^".split())
        return f"({self.expression(depth)} {operator} {self.expression(depth)})"

    def _flat(self, depth: int) -> str:
        operators = self._random.choices("+ - * // % < == and or in is".split(), k=3)
        parts = [self.expression(depth - 1) for _ in range(4)]
        if "is" in operators:
            parts = ["None"] * 4
        text = " ".join(f"{part} {operator}" for part, operator in zip(parts, operators, strict=False))
        return f"({text} {parts[3]})"

    def _power(self, depth: int) -> str:
        return f"({self.expression(depth)} ** {self._random.choice(['2', '3', '0', '-1', '0.5', 'a'])})"

    def _shift(self, depth: int) -> str:
        pick = self._random.choice
        return f"({self.expression(depth)} {pick(['<<', '>>'])} {pick(['1', '3', '70', '-1'])})"

    def _unary(self, depth: int) -> str:
        return f"{self._random.choice(['-', '+', '~', 'not '])}({self.expression(depth)})"

    def _compare(self, depth: int) -> str:
        operators = ["==", "!=", "<", "<=", ">", ">=", "in", "not in"]
        text = self.expression(depth)
        for _ in range(self._random.choice([1, 1, 2])):
            text += f" {self._random.choice(operators)} {self.expression(depth)}"
        return f"({text})"

    def _boolean(self, depth: int) -> str:
        return f"({self.expression(depth)} {self._random.choice(['and', 'or'])} {self.expression(depth)})"

    def _choice(self, depth: int) -> str:
        return f"({self.expression(depth)} if {self.expression(depth)} else {self.expression(depth)})"

    def _index(self, depth: int) -> str:
        key = self._random.choice(["0", "-1", "1", "'k'", "'word'", "3", "9", self.expression(0)])
        return f"({self.expression(depth)})[{key}]"

    def _slice(self, depth: int) -> str:
        bounds = [self._random.choice(["", "0", "1", "-1", "3", "-5", "100"]) for _ in range(2)]
        step = self._random.choice(["", ":1", ":2", ":-1", ":-2", ":0"])
        return f"({self.expression(depth)})[{bounds[0]}:{bounds[1]}{step}]"

    def _container(self, depth: int) -> str:
        items = [self.expression(depth - 1) for _ in range(self._random.randrange(4))]
        kind = self._random.randrange(3)
        if kind == 0:
            return f"[{', '.join(items)}]"
        if kind == 1:
            return f"({', '.join(items)}{',' if len(items) == 1 else ''})"
        return "{" + ", ".join(f"{self._random.choice(_TEXTS + _NUMBERS)}: {item}" for item in items) + "}"

    def _call(self, depth: int) -> str:
        name = self._random.choice("len min max abs round str int float bool any all".split())
        if name in {"min", "max"} and self._random.random() < 0.5:
            return f"{name}({self.expression(depth)}, {self.expression(depth)})"
        if name == "round" and self._random.random() < 0.5:
            return f"round({self.expression(depth)}, {self._random.choice(['0', '1', '2', '-1', '-2', 'None'])})"
        return f"{name}({self.expression(depth)})"

    def _sum(self, depth: int) -> str:
        return f"sum([{self._random.choice(['a', 'big', '7'])}, {self.expression(depth - 1)}])"

    def _method(self, depth: int) -> str:
        text = self._random.choice(
            ["word", "accent", "' a b '", f"str({self.expression(depth)})", self.expression(depth)]
        )
        argument = self._random.choice(_TEXTS)
        call = self._random.choice(
            [
                "upper()",
                "lower()",
                "title()",
                "strip()",
                f"lstrip({argument})",
                f"rstrip({argument})",
                "split()",
                f"split({argument})",
                f"split({argument}, 1)",
                f"startswith({argument})",
                f"endswith({argument})",
                f"replace({argument}, {argument})",
                f"replace('l', {argument}, 1)",
                "join(['a', 'b'])",
                f"find({argument})",
                f"count({argument})",
                "isdigit()",
                "isalpha()",
                "get('k')",
                "get(3, 'no')",
                "count(2)",
                "index(2)",
            ]
        )
        return f"({text}).{call}"

    def _template(self, depth: int) -> str:
        # Quotes and backslashes inside of places are for newer versions of Python alone.
        inner = self._random.choice(["a", "x", "big", "word", "flag", "a + 1", "x * a", "b", "nothing", "numbers", "y"])
        spec = self._random.choice(_SPECS)
        conversion = self._random.choice(["", "", "!r", "!s"])
        return "f'" + self._random.choice(["", "<", "{{"]) + "{" + inner + conversion + spec + "}|'"

    _FORMS = (
        _binary,
        _binary,
        _binary,
        _flat,
        _power,
        _shift,
        _unary,
        _compare,
        _compare,
        _boolean,
        _choice,
        _index,
        _slice,
        _container,
        _call,
        _call,
        _sum,
        _method,
        _method,
        _template,
    )
