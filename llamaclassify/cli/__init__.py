"""The command line, extra ``cli``."""

import sys


def main() -> None:
    """Run the command line; the entry point of ``llamaclassify``."""
    try:
        from .main import commands
    except KeyboardInterrupt:
        sys.exit(130)
    except ModuleNotFoundError as missing:
        sys.exit(f"llamaclassify: the command line needs {missing.name}: pip install 'llamaclassify[cli]'")
    commands()
