"""Several commands one after the other in a process of their own: most of a call is TensorFlow's start."""

import json
import subprocess
import sys
from dataclasses import dataclass

# A line with \x1e ends what a call has printed.
_ONE_AFTER_ANOTHER = """
import json, sys, traceback
from recurra.cli import main

codes = []
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["recurra", *arguments]
    try:
        main()
        codes.append(0)
    except SystemExit as end:
        codes.append(end.code)
    except BaseException:
        traceback.print_exc()
        codes.append(1)
    for stream in (sys.stdout, sys.stderr):
        print("\\x1e", file=stream, flush=True)
print(json.dumps(codes))
"""


@dataclass(frozen=True)
class Done:
    """How a command ended, and what it printed."""

    returncode: int
    stdout: str
    stderr: str


def one_after_another(*calls, cwd):
    """Run commands, each a list of arguments, in one process."""
    given = json.dumps([[str(argument) for argument in arguments] for arguments in calls])
    command = [sys.executable, "-P", "-c", _ONE_AFTER_ANOTHER, given]
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=True)
    *outputs, codes = done.stdout.split("\x1e\n")
    errors = done.stderr.split("\x1e\n")[: len(outputs)]
    return [Done(*parts) for parts in zip(json.loads(codes), outputs, errors, strict=True)]


def succeed(*calls, cwd):
    """Run commands that end well in one process, and give what each has printed."""
    found = one_after_another(*calls, cwd=cwd)
    for done in found:
        assert done.returncode == 0, done.stderr[-2000:]
        assert "Traceback" not in done.stderr
    return found
