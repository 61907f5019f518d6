"""``recurra``, also ``python -m recurra``: the server starts without the rest of the command line."""

import sys


def main() -> None:
    """Run the command that was named."""
    if sys.argv[1:2] == ["serve"]:
        from .serving.command import main as run
    else:
        from .cli import main as run
    run()


if __name__ == "__main__":
    main()
