"""The verdict on a design: as JSON, and as a table for a person."""

from dataclasses import asdict, dataclass, field
from typing import Any

from gatesmith.sim.vectors import Mismatch

__all__ = ["PlayReport", "VerifyReport", "print_report"]

FORMAT, VERSION = "gatesmith-verify", 1


@dataclass(frozen=True, kw_only=True)
class PlayReport:
    """What one scenario showed: clocks simulated, differences, broken rules."""

    name: str
    frames: int
    words: int
    clocks: int
    clocks_checked: int
    mismatches: list[Mismatch]
    errors: list[str]


@dataclass(frozen=True, kw_only=True)
class VerifyReport:
    """Verdict on a design.

    Members
    -------
    equal : bool         Every word and every checked clock count is the golden model's, some
                         were compared, no rule was broken, and the self-test saw every fault.
    plays : list         A :class:`PlayReport` for each scenario.
    source : str         Where the frames come from.
    seconds : float      Wall time of the simulation, its build included.
    verilog_sha256 : str Digest of the Verilog that was simulated.
    changed : bool       It is not the text that ``lower`` wrote.
    tool : str           Name and version of what simulated it.
    frames : int         As asked for.
    waveform : str       VCD around the first difference.
    faults : dict        Of the self-test: planted fault to whether it was seen.
    """

    directory: str
    name: str
    verilog_sha256: str
    changed: bool
    simulator: str
    tool: str
    frames: int
    stall: float
    seed: int
    source: str
    plays: list[PlayReport]
    seconds: float
    waveform: str | None = None
    faults: dict[str, bool] = field(default_factory=dict)

    @property
    def equal(self) -> bool:
        bad = any(play.mismatches or play.errors for play in self.plays)
        compared = sum(play.words for play in self.plays)
        return not bad and compared > 0 and all(self.faults.values())

    def total(self, name: str) -> int:
        """Sum of a count over the scenarios."""
        return sum(getattr(play, name) for play in self.plays)

    def to_json(self) -> dict[str, Any]:
        """The content of ``reports/verify.json``."""
        head = {"format": FORMAT, "version": VERSION, "equal": self.equal}
        return head | asdict(self)


def print_report(report: VerifyReport, console: Any) -> None:
    """Write the verdict as a table to a rich console."""
    from rich.table import Table

    table = Table(title=f"{report.directory}: {report.simulator}, {report.source}")
    table.add_column("scenario")
    for column in ("frames", "words", "clocks", "clock counts", "mismatches"):
        table.add_column(column, justify="right")
    for play in report.plays:
        counts = (play.frames, play.words, play.clocks, play.clocks_checked, len(play.mismatches))
        table.add_row(play.name, *(f"{count:,}" for count in counts))
    console.print(table)
    if report.changed:
        console.print("The Verilog is not the text that lower wrote; it was verified as it is.")
    for play in report.plays:
        for error in play.errors[:10]:
            console.print(f"{play.name}: {error}")
        for found in play.mismatches[:10]:
            what = "clocks" if found.word is None else f"word {found.word}"
            console.print(
                f"{play.name}: frame {found.frame}, {what}: expected {found.expected:#x}, "
                f"got {found.got:#x}"
            )
    if report.waveform:
        console.print(f"Waveform: {report.waveform}")
    for name, caught in report.faults.items():
        console.print(f"planted fault, {name}: {'seen' if caught else 'MISSED'}")
    words, clocks = report.total("words"), report.total("clocks_checked")
    if report.equal:
        console.print(f"EQUAL: {words:,} words and {clocks:,} clock counts are the golden model's")
    else:
        mismatches = sum(len(play.mismatches) for play in report.plays)
        errors = sum(len(play.errors) for play in report.plays)
        missed = sum(not caught for caught in report.faults.values())
        console.print(
            f"NOT EQUAL: {mismatches:,} mismatches in {words:,} words, {errors:,} broken rules, "
            f"{missed} planted faults missed"
        )
