"""Documents as HTML and as Markdown."""

import re

import pytest
from wellformed import check

from gatesmith.flows.pages.bars import bars
from gatesmith.flows.pages.document import (
    Bullets,
    Code,
    Commands,
    Document,
    Heading,
    Notice,
    Paragraph,
    Picture,
    Table,
    Tile,
    Tiles,
)
from gatesmith.flows.pages.html import html
from gatesmith.flows.pages.markdown import markdown

HOSTILE = '<script>alert("1")</script>\'&|`*_[x](y)#\x07'


def _document(text: str) -> Document:
    table = Table(caption=text, columns=("", text), rows=[[text, Code(text)], ["sum", "1"]],
                  numbers=frozenset({1}), total=True, strong=frozenset({(0, 1)}))  # fmt: skip
    return Document(
        text,
        [
            Tiles([Tile(text, text, text, "good")]),
            Heading(text),
            Heading(text),
            Paragraph((text, Code(text), " and ", Code("`"))),
            Bullets([text]),
            Commands(text),
            Notice("bad", text),
            table,
            Picture("area", bars(text, [(text, [1.0])], (text,), text)),
        ],
    )


def test_html_escapes_everything() -> None:
    checker = check(html(_document(HOSTILE)))
    assert "script" not in checker.seen
    assert "".join(checker.words).count("<script>alert") > 8


def test_markdown_escapes_everything() -> None:
    page = markdown(_document(HOSTILE), "report")
    plain = re.sub(r"\\.", lambda m: m[0] if m[0] in r"\[\]" else "", page)
    outside = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", plain, flags=re.DOTALL)
    assert "<script" not in outside and not re.search(r"(?<!\\)\[x(?<!\\)\]\(y\)", outside)
    for line in page.splitlines():
        if line.startswith("| "):
            cells = re.split(r"(?<!\\)\|", line)
            assert len(cells) in (4, 5), line


def test_headings_and_tables_are_marked() -> None:
    page = html(_document("words"))
    checker = check(page)
    assert checker.seen.count("h1") == 1 and checker.seen.count("caption") == 1
    assert page.count('scope="col"') == 2 and page.count('scope="row"') == 2
    assert '<svg aria-labelledby="picture-area-title picture-area-text"' in page
    assert "prefers-color-scheme:dark" in page and "@media print" in page


@pytest.mark.parametrize("text", ["", "a", " "])
def test_short_words(text: str) -> None:
    check(html(_document(text)))
    markdown(_document(text), "report")
