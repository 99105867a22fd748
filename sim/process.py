"""Tools run as processes of their own: with a log, a limit, and nothing left behind."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from gatesmith.models.errors import UserError

__all__ = ["run_logged"]

POLL_SECONDS = 1.0


def run_logged(
    command: Sequence[str],
    workdir: Path,
    log: Path,
    *,
    tool: str,
    timeout_seconds: float,
    hopeless: Callable[[Path], bool] | None = None,
) -> int | None:
    """Run a command in a folder, all its output into a log, and return its exit status.

    Parameters
    ----------
    tool : str                Its name, for the message.
    timeout_seconds : float   After this time it is killed, with all processes that it started.
    hopeless : function       Asked once a second with the log; true kills the command, and None
                              is returned.

    Raises UserError of one line when the limit is reached.
    """
    end = time.monotonic() + timeout_seconds
    with log.open("wb") as stream:
        process = subprocess.Popen(
            command,
            cwd=workdir,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            while True:
                left = end - time.monotonic()
                try:
                    return process.wait(max(0.0, min(left, POLL_SECONDS) if hopeless else left))
                except subprocess.TimeoutExpired:
                    if time.monotonic() >= end:
                        raise UserError(
                            f"{tool} must finish within {timeout_seconds:g} s, and did not "
                            f"(log: {log}); --timeout SECONDS raises the limit"
                        ) from None
                    if hopeless and hopeless(log):
                        return None
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
