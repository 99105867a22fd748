"""A command line to call and checkpoints to call it with."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gatesmith.flows import cli


@dataclass(frozen=True)
class Outcome:
    """What a command left behind: exit code, standard output, standard error."""

    code: int
    out: str
    err: str

    def check_refused(self, *words: str) -> None:
        """Exit code 2 and one line that holds the words."""
        assert self.code == 2, self
        assert self.err.startswith("error: ") and self.err.count("\n") == 1, self
        assert self.err.endswith("\n") and "Traceback" not in self.out + self.err, self
        for word in words:
            assert word in self.err, self


@pytest.fixture
def gatesmith(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Outcome]:
    """Run the command line in this process, as ``gatesmith("lower", path, "-o", folder)``."""

    def run(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["gatesmith", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        captured = capfd.readouterr()
        assert isinstance(end.value.code, int)
        return Outcome(end.value.code, captured.out, captured.err)

    return run


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Checkpoint of a small network for the digits, not trained."""
    from gatesmith.models.sparse_mlp_net import SparseMLP, SparseMLPConfig, save_checkpoint

    path = tmp_path_factory.mktemp("checkpoint") / "digits.safetensors"
    save_checkpoint(SparseMLP(SparseMLPConfig(data="digits", hidden=(6,))), path)
    return path


@pytest.fixture(scope="session")
def measured(checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A design folder that was verified and measured; whoever changes it takes a copy."""
    from rich.console import Console

    from gatesmith.flows import lower, synth, verify

    folder = tmp_path_factory.mktemp("measured") / "digits"
    lower(checkpoint, folder, lanes=1)
    verify(folder, frames=3)
    synth(folder, console=Console(quiet=True))
    return folder
