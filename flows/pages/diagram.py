"""A block diagram: the parts of a design and the streams between them."""

from collections.abc import Mapping

from gatesmith.flows.pages.structure import Link, Structure
from gatesmith.flows.pages.svg import Drawing, label, line, path, rectangle, text_width

__all__ = ["MOST_PARTS", "diagram"]

MOST_PARTS = 16  # more are no picture any more
GAP, HIGH, EDGE, SMALL, LINE = 74, 62, 96, 7.0, 15
ROW = HIGH + 46


def diagram(name: str, structure: Structure, words: Mapping[str, str]) -> Drawing:
    """Drawing of a structure from left to right, what is inside another part in its frame.

    ``words`` says what each part is.
    """
    texts = {part: _lines(words.get(part, part)) for part in structure.parts}
    row, column = _places(structure)
    columns = max(column.values(), default=0) + 1
    widths = [
        max((_width(part, texts[part]) for part in structure.parts if column[part] == k), default=0)
        for k in range(columns)
    ]
    lefts = [EDGE + sum(widths[:k]) + GAP * k for k in range(columns)]
    top, rows = 74, max(row.values(), default=0) + 1
    right = lefts[-1] + widths[-1] + GAP
    bottom = top + rows * ROW - 8
    boxes = {
        part: (lefts[column[part]], top + row[part] * ROW, widths[column[part]])
        for part in structure.parts
    }
    elements = [
        rectangle(EDGE - 34, 10, right - EDGE + 18, bottom - 2, "frame", radius=6),
        label(EDGE - 24, 29, name, style="mono"),
        label(EDGE - 16 + text_width(name, 11), 29, words.get("", ""), style="small quiet"),
    ]
    for outer in dict.fromkeys(structure.inside.values()):
        members = [boxes[part] for part in boxes if part.startswith(f"{outer}.")]
        low, high = min(x for x, _, _ in members) - 14, max(x + w for x, _, w in members) + 14
        up, down = min(y for _, y, _ in members) - 30, max(y for _, y, _ in members) + HIGH + 14
        elements.append(rectangle(low, up, high - low, down - up, "frame", radius=6))
        elements.append(label(low + 8, up + 15, outer.rpartition(".")[2], style="mono"))
        after = low + 18 + text_width(outer.rpartition(".")[2], 11)
        elements.append(label(after, up + 15, words.get(outer, ""), style="small quiet"))
    for link in structure.links:
        elements += _wire(link, boxes, right)
    for part, (x, y, width) in boxes.items():
        elements.append(rectangle(x, y, width, HIGH, "box", radius=5))
        elements.append(label(x + 10, y + 18, part.rpartition(".")[2], style="mono"))
        for number, text in enumerate(texts[part]):
            elements.append(label(x + 10, y + 35 + LINE * number, text, style="small"))
    said = ". ".join(
        f"{link.source} to {link.target}" + (f", {link.bits} bits" if link.bits else "")
        for link in structure.links
    )
    return Drawing(
        title=f"Structure of {name}",
        description=f"Block diagram. {said}.",
        width=round(right + EDGE - 20),
        height=bottom + 20,
        elements=tuple(elements),
    )


def _lines(text: str) -> list[str]:
    """Words in at most two lines of about the same length."""
    words = text.split()
    if len(text) <= 18:
        return [text]
    cuts = [(" ".join(words[:k]), " ".join(words[k:])) for k in range(1, len(words))]
    first, second = min(cuts or [(text, "")], key=lambda cut: max(map(len, cut)))
    return [first, second]


def _width(part: str, texts: list[str]) -> float:
    return 24 + max(SMALL * len(text) for text in (*texts, part.rpartition(".")[2]))


def _places(structure: Structure) -> tuple[dict[str, int], dict[str, int]]:
    """Row and column of each part: the way of the frames on top, the way of loading below."""
    column: dict[str, int] = {}
    for part in structure.parts:
        before = [
            column[link.source]
            for link in structure.links
            if link.target == part and link.source in column and link.stream
        ]
        column[part] = max(before) + 1 if before else 0
    loading = {"c_axis"}
    for part in structure.parts:
        if any(link.target == part and link.source in loading and link.stream
               for link in structure.links):  # fmt: skip
            loading.add(part)
    taken: dict[tuple[int, int], str] = {}
    row: dict[str, int] = {}
    for part in structure.parts:
        place = int(part in loading)
        while (place, column[part]) in taken:
            place += 1
        taken[place, column[part]] = part
        row[part] = place
    return row, column


def _wire(link: Link, boxes: Mapping[str, tuple[float, float, float]], right: float) -> list[str]:
    """An arrow from the right side of a part, or from a port, to the left side of another."""
    port = link.source if link.source not in boxes else link.target
    known = boxes.get(link.source) or boxes.get(link.target)
    if known is None:
        return []
    middle = known[1] + HIGH / 2
    start, end = (EDGE - 84.0, middle), (right + 44, middle)
    if link.source in boxes:
        x, y, width = boxes[link.source]
        start = (x + width, y + HIGH / 2)
    if link.target in boxes:
        x, y, _ = boxes[link.target]
        end = (x, y + HIGH / 2)
    if not link.stream:
        # From below into the part above, beside the middle where nothing else passes.
        x, y, width = boxes[link.target]
        turn = boxes[link.source][1] + HIGH / 2
        points = [start, (x + width / 2, turn), (x + width / 2, y + HIGH)]
        tip = f"M{x + width / 2 - 4:.1f},{y + HIGH + 8:.1f}l4,-8l4,8z"
        return [line(points, "wire dashed"), path(tip, "tip")]
    points = [start, end]
    if start[1] != end[1]:
        turn = end[0] - 20
        points = [start, (turn, start[1]), (turn, end[1]), end]
    parts = [line(points, "wire"), path(f"M{end[0] - 8:.1f},{end[1] - 4:.1f}l8,4l-8,4z", "tip")]
    if link.bits:
        bits = f"{link.bits} bit{'s' * (link.bits > 1)}"
        if port in boxes:
            x = (points[-1][0] + (points[-2][0] if len(points) > 2 else start[0])) / 2
            if len(points) > 2:
                x = (start[0] + points[1][0]) / 2
            parts.append(label(x, start[1] - 7, bits, style="small quiet", anchor="middle"))
        else:
            x, side = (start[0], "start") if link.target in boxes else (end[0], "end")
            parts.append(label(x, middle - 7, bits, style="small quiet", anchor=side))
    if port not in boxes:
        x, side = (start[0], "start") if link.target in boxes else (end[0], "end")
        parts.append(label(x, middle + 16, port, style="mono", anchor=side))
    return parts
