"""The error a user can mend."""

__all__ = ["UserError", "check"]


class UserError(Exception):
    """One line that names what was found, what was expected and how to mend it.

    The command line prints it without a traceback and exits with code 2.
    """


def check(condition: bool, subject: str, requirement: str, found: object) -> None:
    """UserError "<subject> must be <requirement>, not <found>" unless the condition holds."""
    if not condition:
        raise UserError(f"{subject} must be {requirement}, not {found!r}")
