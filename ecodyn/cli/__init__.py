"""The command line: each command a few lines over the API."""

from ecodyn.cli.commands import app, main

__all__ = ["app", "main"]
