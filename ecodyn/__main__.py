"""``python -m ecodyn``: the command, where its script is not on the path."""

from ecodyn.cli import main

main()
