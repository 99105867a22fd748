"""A document as Markdown, its drawings in files beside it."""

import re

from gatesmith.flows.pages.document import (
    Block,
    Bullets,
    Code,
    Commands,
    Document,
    Heading,
    Inline,
    Notice,
    Paragraph,
    Picture,
    Table,
    Tiles,
)

__all__ = ["markdown"]

_NOTICES = {"bad": "Wrong", "stale": "Out of date", "missing": "Missing", "note": "Note"}


def markdown(document: Document, stem: str) -> str:
    """The page; its drawings are ``<stem>-<name>.svg``."""
    parts = [f"# {_clean(document.title)}", *(_block(block, stem) for block in document.blocks)]
    return "\n\n".join(parts) + "\n"


def _clean(text: str) -> str:
    """Words that mean nothing to Markdown or to the HTML inside it, on one line."""
    text = re.sub(r"([\\`*_{}\[\]<>|#~$])", r"\\\1", " ".join(text.split()))
    return text.replace("&", "&amp;").replace("\\<", "&lt;").replace("\\>", "&gt;")


def _code(text: str) -> str:
    text = " ".join(text.split()).replace("|", "\\|")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def _inline(inline: Inline) -> str:
    if isinstance(inline, tuple):
        return "".join(_inline(part) for part in inline)
    if isinstance(inline, Code):
        return _code(inline.text)
    # Spaces at the ends part words from code beside them.
    lead, tail = inline[:1].isspace(), inline[-1:].isspace()
    return " " * lead + _clean(inline) + " " * (tail and bool(inline.strip()))


def _block(block: Block, stem: str) -> str:
    if isinstance(block, Heading):
        return f"{'#' * block.level} {_clean(block.text)}"
    if isinstance(block, Paragraph):
        return _inline(block.text)
    if isinstance(block, Bullets):
        return "\n".join(f"- {_inline(item)}" for item in block.items)
    if isinstance(block, Commands):
        fence = "`" * (1 + max([2, *map(len, re.findall("`+", block.text))]))
        return f"{fence}\n{block.text}\n{fence}"
    if isinstance(block, Notice):
        return f"> **{_NOTICES[block.kind]}:** {_inline(block.text)}"
    if isinstance(block, Tiles):
        rows = [(tile.label, tile.value, tile.note) for tile in block.tiles]
        return _rows(("", "", ""), [tuple(map(_clean, row)) for row in rows], frozenset())
    if isinstance(block, Picture):
        title, words = _clean(block.drawing.title), _clean(block.drawing.description)
        return f"![{title}. {words}]({stem}-{block.name}.svg)"
    return _table(block)


def _table(table: Table) -> str:
    rows = []
    for number, row in enumerate(table.rows):
        last = table.total and number == len(table.rows) - 1
        cells = []
        for column, value in enumerate(row):
            words = _inline(value).strip()
            stress = words and (last or (number, column) in table.strong)
            cells.append(f"**{words}**" if stress else words)
        rows.append(tuple(cells))
    head = tuple(_clean(name) for name in table.columns)
    return f"**{_clean(table.caption)}**\n\n" + _rows(head, rows, table.numbers)


def _rows(head: tuple[str, ...], rows: list[tuple[str, ...]], numbers: frozenset[int]) -> str:
    rule = tuple("--:" if k in numbers else "---" for k in range(len(head)))
    return "\n".join("| " + " | ".join(line) + " |" for line in (head, rule, *rows))
