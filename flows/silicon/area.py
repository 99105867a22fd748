"""The area of a design: what the mapping found, module by module and memory by memory."""

from dataclasses import asdict, dataclass
from typing import Any

__all__ = ["AreaReport", "Count", "MemoryArea", "ModuleArea"]


@dataclass(frozen=True, kw_only=True)
class Count:
    """Cells of one part. Areas are in the library's unit."""

    generic_cells: int = 0
    transistors: int = 0  # of the gates: flip-flops and latches have none here
    flip_flops: int = 0
    mapped_cells: int = 0
    area: float = 0.0
    flip_flop_area: float = 0.0

    def __add__(self, other: "Count") -> "Count":
        mine, theirs = asdict(self), asdict(other)
        return Count(**{name: mine[name] + theirs[name] for name in mine})


@dataclass(frozen=True, kw_only=True)
class ModuleArea:
    """One instance of the hierarchy: its own logic, without what lies below it or in memories."""

    instance: str  # path from the top, which is ""
    module: str
    own: Count


@dataclass(frozen=True, kw_only=True)
class MemoryArea:
    """Memories of one name in one module of the hierarchy.

    ``kind`` is ``rom``, ``flipflop`` or ``sram`` from the name of the memory's module, or
    ``table`` for a memory written inside other logic. Of these only ``rom`` and ``flipflop`` have
    an area of their own; that of a table is in its module, and an ``sram`` is a macro not counted.
    """

    instance: str
    name: str
    kind: str
    bits: int
    words: tuple[tuple[str, int, int], ...]  # of each memory: its path, depth, width
    count: Count


@dataclass(frozen=True, kw_only=True)
class AreaReport:
    """What Yosys found. Areas are in ``unit``; one gate equivalent is ``nand2_area``.

    ``buffered`` is whether nets of high fan-out have buffers and cells the strength they need;
    ``recipe`` is how it was mapped, ``default`` or ``full-adder``.
    """

    name: str
    verilog_sha256: str
    yosys: str
    library: str
    library_file: str
    library_sha256: str
    unit: str
    nand2_area: float
    buffered: bool
    recipe: str
    generic_cells: dict[str, int]
    mapped_cells: dict[str, int]
    modules: tuple[ModuleArea, ...]
    memories: tuple[MemoryArea, ...]

    @property
    def logic(self) -> Count:
        """Everything outside the memories."""
        return sum((module.own for module in self.modules), Count())

    @property
    def memory(self) -> Count:
        """The memories that became flip-flops or gates."""
        return sum((memory.count for memory in self.memories), Count())

    @property
    def total(self) -> Count:
        """Logic and memories."""
        return self.logic + self.memory

    def below(self, instance: str, *, memories: bool = True) -> Count:
        """An instance with all that lies below it, with or without its memories."""
        parts = [(part.instance, part.own) for part in self.modules]
        if memories:
            parts += [(part.instance, part.count) for part in self.memories]
        inside = [c for path, c in parts if not instance or f"{path}.".startswith(f"{instance}.")]
        return sum(inside, Count())

    def gate_equivalents(self, area: float) -> float:
        """An area in NAND2 gates of the library."""
        return area / self.nand2_area

    @property
    def origin(self) -> dict[str, str]:
        """Yosys and the library that the figures are from, as tables of results say it."""
        return {
            "yosys": self.yosys,
            "library": self.library,
            "library_file": self.library_file,
            "library_sha256": self.library_sha256,
        }

    def to_json(self) -> dict[str, Any]:
        """Plain dictionaries and lists."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "AreaReport":
        """The report that :meth:`to_json` described."""
        modules = [ModuleArea(**{**m, "own": Count(**m["own"])}) for m in data["modules"]]
        memories = [
            MemoryArea(
                **{**m, "count": Count(**m["count"]), "words": tuple(map(tuple, m["words"]))}
            )
            for m in data["memories"]
        ]
        return cls(**{**data, "modules": tuple(modules), "memories": tuple(memories)})
