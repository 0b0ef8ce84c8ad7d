"""Markup, trees of styles, ranges and long texts."""

import html as stdlib_html
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spikard.bots.text import (
    Bold,
    Code,
    FormatBuilder,
    Italic,
    Link,
    Mention,
    Node,
    OrderedList,
    Pre,
    Quote,
    Raw,
    Strikethrough,
    Text,
    Underline,
    UnorderedList,
    html,
    md,
    split_text,
)

SPECIAL = r"_*[]()~`>#+-=|{}.!" + "\\"


def test_strings_in_markdown() -> None:
    assert md.bold("t") + md.italic("t") + md.underline("t") + md.strikethrough("t") == "*t*_t___t__~t~"
    assert md.code("x") == "`x`"
    assert md.pre("x = 1", "python") == "```python\nx = 1\n```"
    assert md.pre("x") == "```\nx\n```"
    assert md.quote("a\nb") == ">a\n>b"
    assert md.mention("a.b@c") == r"@\[a\.b@c\]"
    assert md.escape(SPECIAL) == "".join(f"\\{one}" for one in SPECIAL)
    assert md.link("t", "https://x.example/(a)") == r"[t](https://x.example/(a\))"


def test_strings_in_html() -> None:
    assert html.bold("t") + html.italic("t") == "<b>t</b><i>t</i>"
    assert html.underline("t") + html.strikethrough("t") == "<u>t</u><s>t</s>"
    assert html.pre("x", "python") == '<pre><code class="python">x</code></pre>'
    assert html.quote("x") == "<blockquote>x</blockquote>"
    assert html.mention("u@x") == "@[u@x]"
    assert html.escape("1 < 2 & 3 > 0") == "1 &lt; 2 &amp; 3 &gt; 0"
    assert html.ordered_list(["a", "b"]) == "<ol><li>a</li><li>b</li></ol>"
    assert html.unordered_list(["a"]) == "<ul><li>a</li></ul>"
    assert html.link("t", '"><b>') == '<a href="&quot;&gt;&lt;b&gt;">t</a>'
    assert html.pre("x", '"><b>') == '<pre><code class="&quot;&gt;&lt;b&gt;">x</code></pre>'


def test_templates_escape_their_values() -> None:
    assert html.f("<b>{}</b> {x:>4}", "<&>", x=5) == "<b>&lt;&amp;&gt;</b>    5"
    assert html.f("{}", Bold("<")) == "<b>&lt;</b>"
    assert md.f("*{}*", "a.b") == r"*a\.b*"


def test_row_15_links_and_mentions_escape() -> None:
    assert Link("x", url='https://x.example/"><b>').as_html() == '<a href="https://x.example/&quot;&gt;&lt;b&gt;">x</a>'
    assert Link("x", url=r"https://x.example/\)").as_markdown() == r"[x](https://x.example/\\\))"
    assert Mention("<a>").as_html() == "@[&lt;a&gt;]"


def test_row_15_code_escapes_backticks() -> None:
    assert Code("a`b\\c*").as_markdown() == r"`a\`b\\c*`"
    assert Pre("a```b", language="py`\nthon").as_markdown() == "```python\na\\`\\`\\`b\n```"
    assert Code(Bold("x")).as_html() == "<code>x</code>"


def test_row_15_splitting_cuts_no_tag() -> None:
    text = "<b>" + "word " * 40 + '</b><a href="https://x.example/long/address">link</a>'
    for part in split_text(text, 60, parse_mode="HTML"):
        assert len(part) <= 60
        Text.from_html(part)


@pytest.mark.parametrize(
    "url", ["https://a", "http://a", "mailto:a@b", "tel:+7", "a/b", "/x", "//x", "x.ru:80/a", "localhost:1"]
)
def test_links_that_are_allowed(url: str) -> None:
    assert Link("x", url=url).as_html() == f'<a href="{url}">x</a>'
    assert Link("x", url).as_html() == f'<a href="{url}">x</a>'


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", " JaVa\nScript:x", "data:text/html,x", "javascript:1/x", "file:///x"]
)
def test_links_that_are_not(url: str) -> None:
    with pytest.raises(ValueError, match="not allowed"):
        Link("x", url=url)


def test_trees() -> None:
    content = Text(Bold("A & B"), "\n", Italic("<x>"), " ", Code("$9"))
    assert content.as_html() == "<b>A &amp; B</b>\n<i>&lt;x&gt;</i> <code>$9</code>"
    assert content.as_kwargs() == {"text": content.as_html(), "parse_mode": "HTML"}
    assert content.as_kwargs("MarkdownV2")["parse_mode"] == "MarkdownV2"
    assert content.as_kwargs(parse_mode="MarkdownV2")["text"] == content.as_markdown()
    assert str("Hello, " + Bold("World") + "!") == "Hello, <b>World</b>!"
    assert (Bold("a") + Italic("b")).as_markdown() == "*a*_b_"
    assert repr(Text("a", Bold("b"))) == "Text('a', Bold('b'))"
    assert Bold(Italic("x")).as_html() == "<b><i>x</i></b>"
    assert Underline("x").as_markdown() + Strikethrough("y").as_markdown() == "__x__~y~"
    assert Quote("a\nb").as_markdown() == ">a\n>b"
    assert Raw("<hr>").as_html() == "<hr>"
    assert OrderedList("a", Bold("b")).as_html() == "<ol><li>a</li><li><b>b</b></li></ol>"
    assert UnorderedList(["a", "b"]).as_markdown() == "- a\n- b"
    assert OrderedList("a.", "b").as_markdown() == "1. a\\.\n2. b"
    assert Text(5, None).as_html() == "5None"
    with pytest.raises(TypeError):
        _ = Bold("x") + 5  # type: ignore[operator]
    with pytest.raises(TypeError, match="address"):
        Link("x")


def test_ranges_count_as_the_server_does() -> None:
    made = Text("🙂 ", Bold("a🙂", Italic("b")), Link("c", url="https://x.example")).as_format()
    assert made["text"] == "🙂 a🙂bc"
    assert made["format_"] == {
        "italic": [{"offset": 6, "length": 1}],
        "bold": [{"offset": 3, "length": 4}],
        "link": [{"offset": 7, "length": 1, "url": "https://x.example"}],
    }
    assert Text(Code("x"), Mention("u"), OrderedList("a", "b")).as_format() == {
        "text": "x@[u]a\nb",
        "format_": {
            "inlineCode": [{"offset": 0, "length": 1}],
            "mention": [{"offset": 1, "length": 4}],
            "orderedList": [{"offset": 5, "length": 3}],
        },
    }


WORDS = st.text(max_size=12)


def nodes(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    many = st.lists(inner, min_size=1, max_size=3)
    return st.one_of(
        *(
            st.builds(lambda parts, kind=kind: kind(*parts), many)
            for kind in (Bold, Italic, Underline, Strikethrough, Quote, Text)
        ),
        st.builds(lambda parts: Link(*parts, url="https://x.example/?a=1&b=2"), many),
    )


TREES = st.recursive(st.one_of(WORDS, st.builds(Code, WORDS), st.builds(Pre, WORDS)), nodes, max_leaves=8)


@settings(deadline=None)
@given(TREES)
def test_html_is_read_back(tree: Any) -> None:
    written = Text(tree).as_html().replace("\r", "")
    assert Text.from_html(written).as_html() == written


@settings(deadline=None)
@given(st.text())
def test_escaped_text_is_text(text: str) -> None:
    assert stdlib_html.unescape(html.escape(text).replace("\r", " ")) == stdlib_html.unescape(
        html.escape(text.replace("\r", " "))
    )
    assert re.sub(r"\\(.)", r"\1", md.escape(text), flags=re.DOTALL) == text
    assert not re.search(r"[<>]", html.escape(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<x>a</x>", "<x> in line 1, column 0"),
        ("<b>a", "<b> is not closed"),
        ("<b><i></b></i>", "expected </i>"),
        ("</b>", "no closing"),
    ],
)
def test_html_that_the_platform_does_not_know(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Text.from_html(text)


def test_html_that_it_does() -> None:
    read = Text.from_html(
        '<strong>a</strong><br/>&amp;<pre><code class="language-py">x</code></pre><ul>\n<li>1</li>\n</ul>'
    )
    assert read.as_html() == '<b>a</b>\n&amp;<pre><code class="py">x</code></pre><ul><li>1</li></ul>'
    assert Text.from_html("<code class='x'>a</code>") == Text.from_html("<code class='x'>a</code>")


@pytest.mark.parametrize(
    ("text", "length", "parts"),
    [
        ("", 5, [""]),
        ("short", 5, ["short"]),
        ("line1\nline2\nline3", 10, ["line1", "line2", "line3"]),
        ("one two three", 8, ["one two", " three"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("a\n\n\nb", 3, ["a\n", "b"]),
        ("\n" * 7, 3, ["\n\n"]),
        ("ab\u0301cd", 2, ["a", "b\u0301", "cd"]),
        ("\u0301" * 5, 2, ["\u0301\u0301", "\u0301\u0301", "\u0301"]),
    ],
)
def test_plain_texts_in_parts(text: str, length: int, parts: list[str]) -> None:
    assert split_text(text, length) == parts


@settings(deadline=None)
@given(st.text(st.sampled_from("ab \n\u0301🙂\u200d"), max_size=80), st.integers(1, 12))
def test_parts_joined_are_the_text(text: str, length: int) -> None:
    parts = split_text(text, length)
    assert all(len(part) <= length for part in parts)
    assert all(parts) or not text
    assert "".join(parts).replace("\n", "") == text.replace("\n", "")


@settings(deadline=None)
@given(TREES, st.integers(400, 600))
def test_html_in_parts_is_whole_and_loses_nothing(tree: Any, length: int) -> None:
    written = Text(tree).as_html().replace("\r", "")
    written *= 1 + 2 * length // max(len(written), 20)
    parts = split_text(written, length, parse_mode="HTML")
    assert all(len(part) <= length for part in parts)

    def plain(text: str) -> str:
        return re.sub(r"<[^>]*>|\n", "", text)

    assert "".join(map(plain, parts)) == plain(written)
    for part in parts:
        Text.from_html(part)


def test_markdown_in_parts() -> None:
    parts = split_text("*" + "bold words " * 6 + "*", 30, parse_mode="MarkdownV2")
    assert all(part.startswith("*") and part.endswith("*") and len(part) <= 30 for part in parts)
    parts = split_text("```py\n" + "x = 1\n" * 10 + "```\nend", 30, parse_mode="MarkdownV2")
    assert all(part.count("```") in (0, 2) and len(part) <= 30 for part in parts)
    assert parts[1].startswith("```py\nx = 1")
    assert "".join(split_text(r"a\.b\!" * 10, 7, parse_mode="MarkdownV2")) == r"a\.b\!" * 10
    assert all(not part.endswith("\\") for part in split_text(r"\.\!" * 10, 5, parse_mode="MarkdownV2"))
    quoted = split_text(">" + "quoted words " * 4 + "\nplain", 20, parse_mode="MarkdownV2")
    assert all(part.startswith(">") for part in quoted[:-1])
    assert quoted[-1] == "plain"
    link = "[text](https://x.example/a)"
    assert any(link in part for part in split_text("words " * 5 + link + " words" * 5, 40, parse_mode="MarkdownV2"))


def test_splitting_refuses_what_cannot_be() -> None:
    with pytest.raises(ValueError, match="at least one"):
        split_text("x", 0)
    with pytest.raises(ValueError, match="too small"):
        split_text("<b><i>text</i></b>", 10, parse_mode="HTML")


def test_trees_in_parts() -> None:
    parts = Bold("word " * 30).split(50)
    assert all(isinstance(part, Node) and len(part.as_html()) <= 50 for part in parts)
    assert "".join(part.as_format()["text"] for part in parts) == "word " * 30


class TestFormatBuilder:
    def test_ranges(self) -> None:
        made = FormatBuilder("Hello World").bold(0, 5).link(6, 5, url="https://x.example").build()
        assert made == {
            "bold": [{"offset": 0, "length": 5}],
            "link": [{"offset": 6, "length": 5, "url": "https://x.example"}],
        }
        assert FormatBuilder("x").build() == {}
        assert FormatBuilder("ab").inline_code(0, 1).ordered_list(1, 1).build().keys() == {"inlineCode", "orderedList"}

    def test_parts_of_the_text(self) -> None:
        made = FormatBuilder("🙂 aa aa").bold_text("aa").italic_text("aa", occurrence=2).build()
        assert made == {"bold": [{"offset": 3, "length": 2}], "italic": [{"offset": 6, "length": 2}]}
        with pytest.raises(ValueError, match="not found"):
            FormatBuilder("Hello").bold_text("missing")
        with pytest.raises(ValueError, match="not found 3 times"):
            FormatBuilder("aa").quote_text("a", occurrence=3)

    @pytest.mark.parametrize(
        "style",
        ["underline", "strikethrough", "mention", "inline_code", "pre", "ordered_list", "unordered_list", "quote"],
    )
    def test_all_styles_count_by_themselves(self, style: str) -> None:
        (ranges,) = getattr(FormatBuilder("a b"), f"{style}_text")("b").build().values()
        assert ranges == [{"offset": 2, "length": 1}]

    @pytest.mark.parametrize(
        ("styles", "message"),
        [
            (["bold", "bold"], "Overlapping 'bold' ranges"),
            (["bold", "pre"], "Conflicting styles 'pre' + 'bold'"),
            (["pre", "inline_code"], "Conflicting styles 'pre'"),
            (["mention", "link"], "Conflicting styles"),
            (["ordered_list", "unordered_list"], "Conflicting styles"),
            (["quote", "ordered_list"], "Conflicting styles"),
        ],
    )
    def test_styles_that_cannot_be_together(self, styles: list[str], message: str) -> None:
        made = FormatBuilder("Hello World")
        for number, style in enumerate(styles):
            extra = {"url": "https://x.example"} if style == "link" else {}
            getattr(made, style)(number, 5, **extra)
        with pytest.raises(ValueError, match=re.escape(message)):
            made.validate()
        with pytest.raises(ValueError, match=re.escape(message)):
            made.build()

    def test_neighbours_and_nested_styles_can(self) -> None:
        FormatBuilder("Hello World").bold(0, 5).bold(5, 6).italic(0, 11).pre(11, 2).build()

    def test_ranges_are_ranges(self) -> None:
        with pytest.raises(ValueError, match="A range"):
            FormatBuilder("x").bold(-1, 1)
