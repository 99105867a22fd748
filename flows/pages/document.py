"""A page as a list of blocks, which become HTML and Markdown with the same words and figures."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from gatesmith.flows.pages.svg import Drawing

__all__ = [
    "Block",
    "Bullets",
    "Code",
    "Commands",
    "Document",
    "Heading",
    "Inline",
    "Notice",
    "Paragraph",
    "Picture",
    "Table",
    "Tile",
    "Tiles",
    "plain",
]


@dataclass(frozen=True)
class Code:
    """Words of a machine inside a sentence: a name, a digest, a command."""

    text: str


Inline = str | Code | tuple[str | Code, ...]


def plain(inline: Inline) -> str:
    """The words without their marking."""
    if isinstance(inline, tuple):
        return "".join(plain(part) for part in inline)
    return inline.text if isinstance(inline, Code) else inline


@dataclass(frozen=True)
class Heading:
    """Title of a section; the title of the page is the document's."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Sentences."""

    text: Inline


@dataclass(frozen=True)
class Bullets:
    """Sentences in a list."""

    items: Sequence[Inline]


@dataclass(frozen=True)
class Commands:
    """Lines to type."""

    text: str


@dataclass(frozen=True)
class Notice:
    """What the reader must not miss: ``kind`` is ``bad``, ``stale``, ``missing`` or ``note``."""

    kind: str
    text: Inline


@dataclass(frozen=True)
class Tile:
    """A figure of the summary: what it is, its value, and words about it.

    ``kind`` is ``good``, ``bad``, ``stale``, ``missing`` or nothing.
    """

    label: str
    value: str
    note: str = ""
    kind: str = ""


@dataclass(frozen=True)
class Tiles:
    """The summary."""

    tiles: Sequence[Tile]


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows under a caption; the first column heads its row.

    Members
    -------
    numbers : set of int   Columns that hold figures and are set to the right.
    total : bool           The last row sums up the others.
    strong : set of (row, column)   Cells to stress.
    """

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Inline]]
    numbers: frozenset[int] = frozenset()
    total: bool = False
    strong: frozenset[tuple[int, int]] = frozenset()


@dataclass(frozen=True)
class Picture:
    """A drawing; ``name`` ends the name of its file beside the Markdown."""

    name: str
    drawing: Drawing


Block = Heading | Paragraph | Bullets | Commands | Notice | Tiles | Table | Picture


@dataclass(frozen=True)
class Document:
    """A page."""

    title: str
    blocks: Sequence[Block] = field(default_factory=tuple)

    @property
    def pictures(self) -> list[Picture]:
        """All drawings, in order."""
        return [block for block in self.blocks if isinstance(block, Picture)]
