"""The command line, called as its users call it."""

import sys
import threading

from click.testing import CliRunner

from llamaclassify.cli.main import commands

COMMAND = [sys.executable, "-m", "llamaclassify"]
"""It in a process of its own."""


def invoke(*arguments, stdin=None):
    """Run it in this process; none of its errors is a traceback."""
    result = CliRunner().invoke(commands, [str(argument) for argument in arguments], input=stdin)
    assert "Traceback" not in result.output
    return result


def rest_of(process):
    """What a process still prints, on both streams, until it ends; it is killed after 20 seconds.

    Not by ``communicate``, which reads past what an earlier ``readline`` has taken into its buffer.
    """
    killing = threading.Timer(20, process.kill)
    killing.start()
    try:
        with process:
            return process.stdout.read(), process.stderr.read()
    finally:
        killing.cancel()
