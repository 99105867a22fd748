"""A document as one HTML file that needs nothing else."""

import re
from html import escape

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
    plain,
)
from gatesmith.flows.pages.svg import FIGURE_STYLE

__all__ = ["html"]

# Text, page, quiet text, lines, panels, links, then good, bad and doubtful.
_COLOURS = ("ink", "page", "muted", "rule", "panel", "link", "good", "bad", "doubt")
_LIGHT = "#1f2328 #ffffff #57606a #d0d7de #f3f6f9 #0b5cad #0b6b3a #b3261e #8a5300".split()
_DARK = "#e6edf3 #0f141a #9aa6b2 #37414c #1a222b #7ab8f5 #5cc98b #ff8f85 #e3ae55".split()


def _variables(values: list[str]) -> str:
    return ";".join(f"--{name}:{value}" for name, value in zip(_COLOURS, values, strict=True))


_STYLE = f"""
:root{{color-scheme:light dark;{_variables(_LIGHT)}}}
@media screen and (prefers-color-scheme:dark){{:root{{{_variables(_DARK)}}}}}
*{{box-sizing:border-box}}
body{{margin:0;background:var(--page);color:var(--ink);line-height:1.5;font-size:16px;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}}
main{{max-width:1200px;margin:0 auto;padding:24px 20px 64px}}
h1{{font-size:1.9rem;line-height:1.2;margin:8px 0 16px;overflow-wrap:anywhere}}
h2{{font-size:1.3rem;margin:44px 0 12px;padding-bottom:6px;border-bottom:1px solid var(--rule)}}
h3{{font-size:1.05rem;margin:26px 0 8px}}
p,ul{{margin:10px 0;max-width:75ch;overflow-wrap:anywhere}}
ul{{padding-left:22px}}
a{{color:var(--link)}}
nav ul{{list-style:none;padding:0;display:flex;flex-wrap:wrap;gap:4px 16px;max-width:none}}
code,pre{{font-family:ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.88em}}
code{{background:var(--panel);padding:1px 4px;border-radius:4px;overflow-wrap:anywhere}}
pre{{background:var(--panel);padding:12px 14px;border-radius:6px;overflow-x:auto}}
pre code{{padding:0;background:none;overflow-wrap:normal}}
.tiles{{display:grid;grid-template-columns:repeat(auto-fill,minmax(165px,1fr));gap:12px;
margin:20px 0}}
.tiles div{{border:1px solid var(--rule);border-left:4px solid var(--muted);border-radius:6px;
padding:10px 12px;background:var(--panel)}}
.tiles dt{{color:var(--muted);font-size:.85rem}}
.tiles dd{{margin:0;overflow-wrap:anywhere}}
.tiles .value{{font-size:1.2rem;font-weight:600;line-height:1.3}}
.tiles .about{{color:var(--muted);font-size:.85rem}}
.tiles .good{{border-left-color:var(--good)}}
.tiles .good .value{{color:var(--good)}}
.tiles .bad{{border-left-color:var(--bad)}}
.tiles .bad .value{{color:var(--bad)}}
.tiles .stale{{border-left-color:var(--doubt)}}
.tiles .stale .value,.tiles .missing .value{{font-size:1.05rem}}
.tiles .stale .value{{color:var(--doubt)}}
.tiles .missing .value{{color:var(--muted)}}
.notice{{border-left:4px solid var(--muted);background:var(--panel);padding:10px 14px;
border-radius:4px;max-width:none}}
.notice.bad{{border-left-color:var(--bad)}}
.notice.stale{{border-left-color:var(--doubt)}}
.scroll{{overflow-x:auto;margin:14px 0;max-width:100%}}
.scroll:focus-visible{{outline:2px solid var(--link)}}
table{{border-collapse:collapse;font-size:.92rem}}
caption{{text-align:left;font-weight:600;padding:0 0 6px}}
th,td{{border-bottom:1px solid var(--rule);padding:5px 12px 5px 0;text-align:left;
vertical-align:top}}
th{{font-weight:600}}
tbody th{{font-weight:400;min-width:8.5em}}
td code,tbody th code{{white-space:nowrap}}
.facts th{{white-space:nowrap;min-width:0}}
.facts code{{white-space:normal}}
thead .number{{white-space:normal}}
thead th{{color:var(--muted);font-size:.86rem;vertical-align:bottom}}
td:last-child,th:last-child{{padding-right:2px}}
.number{{text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums}}
.total th,.total td{{font-weight:600;border-top:2px solid var(--rule)}}
figure{{margin:14px 0}}
figure svg{{display:block;max-width:none;height:auto}}
@media print{{main{{max-width:none;padding:0}}nav{{display:none}}h2{{break-after:avoid}}
figure,table,.tiles{{break-inside:avoid}}.scroll{{overflow:visible}}
figure svg{{max-width:100%}}body{{font-size:11pt}}table{{font-size:9pt}}}}
{FIGURE_STYLE}
"""


def html(document: Document) -> str:
    """The page. Equal documents give equal bytes."""
    title = _clean(document.title)
    keys = _anchors(document)
    links = "".join(
        f'<li><a href="#{keys[number]}">{_clean(block.text)}</a></li>'
        for number, block in enumerate(document.blocks)
        if isinstance(block, Heading) and block.level == 2
    )
    body = "\n".join(_block(block, keys.get(k, "")) for k, block in enumerate(document.blocks))
    contents = f'<nav aria-label="Contents"><ul>{links}</ul></nav>' if links else ""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"<h1>{title}</h1>\n{contents}\n{body}\n</main>\n</body>\n</html>\n"
    )


def _clean(text: str) -> str:
    # Characters that HTML does not allow even as references.
    return escape(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]", "\ufffd", text))


def _anchors(document: Document) -> dict[int, str]:
    """Number of a heading or a picture among the blocks to its name on the page."""
    keys: dict[int, str] = {}
    for number, block in enumerate(document.blocks):
        if isinstance(block, Heading):
            key = re.sub(r"[^a-z0-9]+", "-", block.text.lower()).strip("-") or "section"
        elif isinstance(block, Picture):
            key = f"picture-{block.name}"
        else:
            continue
        keys[number] = f"{key}-{number}" if key in keys.values() else key
    return keys


def _inline(inline: Inline) -> str:
    if isinstance(inline, tuple):
        return "".join(_inline(part) for part in inline)
    if isinstance(inline, Code):
        return f"<code>{_clean(inline.text)}</code>"
    return _clean(inline)


def _block(block: Block, key: str) -> str:
    if isinstance(block, Heading):
        return f'<h{block.level} id="{key}">{_clean(block.text)}</h{block.level}>'
    if isinstance(block, Paragraph):
        return f"<p>{_inline(block.text)}</p>"
    if isinstance(block, Bullets):
        return "<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in block.items) + "</ul>"
    if isinstance(block, Commands):
        return f'<pre tabindex="0"><code>{_clean(block.text)}</code></pre>'
    if isinstance(block, Notice):
        return f'<p class="notice {block.kind}" role="note">{_inline(block.text)}</p>'
    if isinstance(block, Tiles):
        return _tiles(block)
    if isinstance(block, Table):
        return _table(block)
    name = _clean(block.drawing.title)
    return (
        f'<figure><div class="scroll" tabindex="0" role="region" aria-label="{name}">'
        f"{block.drawing.inline(key)}</div></figure>"
    )


def _tiles(block: Tiles) -> str:
    parts = [
        f'<div class="{tile.kind}"><dt>{_clean(tile.label)}</dt>'
        f'<dd class="value">{_clean(tile.value)}</dd>'
        + (f'<dd class="about">{_clean(tile.note)}</dd>' if tile.note else "")
        + "</div>"
        for tile in block.tiles
    ]
    return f'<dl class="tiles">{"".join(parts)}</dl>'


def _table(table: Table) -> str:
    def kind(column: int) -> str:
        return ' class="number"' if column in table.numbers else ""

    head = "".join(
        f'<th scope="col"{kind(k)}>{_clean(name)}</th>' for k, name in enumerate(table.columns)
    )
    rows = []
    for number, row in enumerate(table.rows):
        cells = []
        for column, value in enumerate(row):
            tag = "td" if column else "th"
            scope = "" if column else ' scope="row"'
            words = _inline(value)
            if (number, column) in table.strong:
                words = f"<strong>{words}</strong>"
            cells.append(f"<{tag}{scope}{kind(column)}>{words}</{tag}>")
        last = table.total and number == len(table.rows) - 1
        opening = '<tr class="total">' if last else "<tr>"
        rows.append(f"{opening}{''.join(cells)}</tr>")
    caption = _clean(plain(table.caption))
    # A list of facts has no heads to its columns.
    kind_of, heads = ' class="facts"', ""
    if any(table.columns):
        kind_of, heads = "", f"<thead><tr>{head}</tr></thead>"
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="{caption}">'
        f"<table{kind_of}><caption>{caption}</caption>{heads}<tbody>\n"
        + "\n".join(rows)
        + "\n</tbody></table></div>"
    )
