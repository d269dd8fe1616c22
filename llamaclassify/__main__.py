"""``python -m llamaclassify``: the command line."""

from .cli import main

main()
