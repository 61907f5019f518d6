"""The one error a user can mend: what was found, where, what was expected, how to fix it."""


class InputError(ValueError):
    """A mistake in what the user handed in, told in one sentence.

    The command line prints it without a traceback and exits with code 2; any other exception is a bug of ours.
    """
