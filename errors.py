"""An error the user can fix: what was found, where, what was expected, how to fix it."""


class InputError(ValueError):
    """An error the user can fix, in one sentence.

    The command line prints it without a traceback and exits with code 2; any other exception is a bug of ours.
    """
