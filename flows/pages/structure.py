"""The parts of a generated design and the streams between them, as its Verilog connects them."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["Link", "Structure", "read_structure"]

_MODULE = re.compile(r"^module (\\\S+ |\w+)\s*\(.*?^endmodule", re.MULTILINE | re.DOTALL)
_PORT = re.compile(r"^  (input|output) (?:\[(\d+)(?:-1)?:0\] )?(\\\S+ |\w+);", re.MULTILINE)
_INSTANCE = re.compile(r"^  (\\\S+ |\w+) +(\\\S+ |\w+) \(\n(.*?)\n  \);", re.MULTILINE | re.DOTALL)
_PIN = re.compile(r"^\s+\.(\\\S+ |\w+)\((\\\S+ |\w+)", re.MULTILINE)
_ALIAS = re.compile(r"^  assign (\\\S+ |\w+) = (\\\S+ |\w+);", re.MULTILINE)
_STREAM = re.compile(r"^(?:([io]\w*?)__|()t)(valid|payload)(?:\$\d+)?$")
_TOP_STREAM = re.compile(r"^([smcrw]_axis)_t(?:valid|data)$")


@dataclass(frozen=True)
class Link:
    """A connection: the parts at its ends, or the ports of the top module, and its bits.

    ``stream`` is whether it has valid and ready; otherwise the target cannot hold it up.
    """

    source: str
    target: str
    bits: int | None
    stream: bool = True


@dataclass(frozen=True, kw_only=True)
class Structure:
    """Parts without parts of their own, in order of data flow, and the streams between them.

    Members
    -------
    parts : tuple of str   Instances, below the top module.
    inside : dict          Instance to the instance that it is in, where that is a part too.
    links : tuple of Link  Ends are parts, or streams of the top module.
    """

    parts: tuple[str, ...]
    inside: dict[str, str]
    links: tuple[Link, ...]


@dataclass
class _Module:
    ports: dict[str, tuple[str, int]] = field(default_factory=dict)  # name: direction, bits
    instances: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    aliases: list[tuple[str, str]] = field(default_factory=list)


def read_structure(
    verilog: str, top: str, parts: Iterable[str], streams: Mapping[str, int]
) -> Structure | None:
    """Structure of a Verilog text that ``lower`` wrote; None when it is another's.

    Parameters
    ----------
    parts : iterable of str   Instances to tell apart, ``""`` for the top module.
    streams : mapping         ``s_axis``, ``m_axis`` and perhaps ``c_axis``, ``r_axis``, ``w_axis``
                              to their data bits.
    """
    modules = _read(verilog)
    if top not in modules:
        return None
    wires = _Wires()
    found: dict[str, str] = {}  # instance: module
    wanted = set(parts)

    def walk(module: str, path: str) -> None:
        for left, right in modules[module].aliases:
            wires.join((path, left), (path, right))
        for kind, name, pins in modules[module].instances:
            below = f"{path}.{name}" if path else name
            if kind not in modules or below not in wanted:
                continue
            found[below] = kind
            for pin, net in pins.items():
                wires.join((below, pin), (path, net))
            walk(kind, below)

    walk(top, "")
    inside = {part: part.rpartition(".")[0] for part in found if part.rpartition(".")[0] in found}
    leaves = [part for part in found if part not in inside.values()]
    links = _links(modules, found, leaves, wires, top, streams)
    return Structure(parts=_ordered(leaves, links), inside=inside, links=tuple(links))


def _links(
    modules: Mapping[str, "_Module"],
    found: Mapping[str, str],
    leaves: Iterable[str],
    wires: "_Wires",
    top: str,
    streams: Mapping[str, int],
) -> tuple[Link, ...]:
    """Streams by their wires: of ``valid``, or of ``payload`` where logic stands in the other.

    The name tells what a port is, not its direction: a part that only passes a payload on has it
    as an input, whatever its stream.
    """
    drivers: dict[tuple[str, str], str] = {}
    readers: list[tuple[str, tuple[str, str], int | None]] = []
    for port, (direction, _) in modules[top].ports.items():
        stream = _TOP_STREAM.match(port)
        if stream and direction == "input":
            drivers[wires.root(("", port))] = stream[1]
        elif stream:
            readers.append((stream[1], ("", port), None))
    for part in leaves:
        ports = modules[found[part]].ports
        for port in ports:
            kind = _STREAM.match(port)
            if not kind:
                continue
            name = kind[1] or ""
            if name.startswith("o"):
                drivers[wires.root((part, port))] = part
            else:
                readers.append((part, (part, port), _payload(ports, name)))
    links: dict[tuple[str, str], Link] = {}
    for target, pin, bits in readers:
        source = drivers.get(wires.root(pin))
        if source and source != target:
            # A stream of the top module is as wide as its port, any other as its reader says.
            width = streams.get(source, streams.get(target, bits))
            links.setdefault((source, target), Link(source, target, width))
    fed = {link.target for link in links.values() if link.source not in streams}
    straight = {
        key: link
        for key, link in links.items()
        if link.source not in streams or link.target not in fed
    }
    for link in _plain_links(modules, found, leaves, wires):
        straight.setdefault((link.source, link.target), link)
    return tuple(straight.values())


def _plain_links(
    modules: Mapping[str, "_Module"],
    found: Mapping[str, str],
    leaves: Iterable[str],
    wires: "_Wires",
) -> Iterator[Link]:
    """Connections that are no streams, such as the words that a loader writes into memories."""
    drivers: dict[tuple[str, str], str] = {}
    readers: list[tuple[str, tuple[str, str], int]] = []
    for part in leaves:
        for port, (direction, bits) in modules[found[part]].ports.items():
            if bits == 1 or _STREAM.match(port):
                continue
            if direction == "output":
                drivers[wires.root((part, port))] = part
            else:
                readers.append((part, (part, port), bits))
    for target, pin, bits in readers:
        source = drivers.get(wires.root(pin))
        if source and source != target:
            yield Link(source, target, bits, stream=False)


def _read(verilog: str) -> dict[str, _Module]:
    modules = {}
    for text in _MODULE.finditer(verilog):
        module = _Module()
        for direction, high, name in _PORT.findall(text[0]):
            module.ports[_plain(name)] = (direction, int(high or 0) + 1)
        for kind, name, pins in _INSTANCE.findall(text[0]):
            nets = {_plain(pin): _plain(net) for pin, net in _PIN.findall(pins)}
            module.instances.append((_plain(kind), _plain(name), nets))
        module.aliases = [(_plain(a), _plain(b)) for a, b in _ALIAS.findall(text[0])]
        modules[_plain(text[1])] = module
    return modules


def _plain(name: str) -> str:
    return name.strip().removeprefix("\\")


def _payload(ports: Mapping[str, tuple[str, int]], stream: str) -> int | None:
    for port, (_, bits) in ports.items():
        if re.fullmatch(rf"{stream}__payload(?:\$\d+)?", port):
            return bits
    return None


class _Wires:
    """Nets that are one wire across the hierarchy."""

    def __init__(self) -> None:
        self._above: dict[tuple[str, str], tuple[str, str]] = {}

    def root(self, net: tuple[str, str]) -> tuple[str, str]:
        while net in self._above:
            net = self._above[net]
        return net

    def join(self, one: tuple[str, str], other: tuple[str, str]) -> None:
        one, other = self.root(one), self.root(other)
        if one != other:
            self._above[one] = other


def _ordered(leaves: list[str], links: Iterable[Link]) -> tuple[str, ...]:
    """The parts, each after those that feed it as far as the streams have no loop."""
    left, done = list(leaves), list[str]()
    while left:
        fed = {link.target for link in links if link.source in left}
        ready = [part for part in left if part not in fed] or left[:1]
        done += ready
        left = [part for part in left if part not in ready]
    return tuple(done)
