"""What the benchmarks counted, under their timings."""

from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """One line a benchmark: its name, seconds, and its extra figures."""
    session = getattr(config, "_benchmarksession", None)
    for bench in session.benchmarks if session else ():
        figures = "".join(f", {key} {value:,.0f}" for key, value in bench.extra_info.items())
        terminalreporter.write_line(f"{bench.name}: {bench.stats.mean:.3g} s{figures}")
