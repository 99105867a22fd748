"""The error a user can mend."""

__all__ = ["UserError"]


class UserError(Exception):
    """One line that names what was found, what was expected and how to mend it.

    The command line prints it without a traceback and exits with code 2.
    """
