"""The command line: `drumbeat tasks`, `drumbeat next`, `drumbeat local`."""

from .app import main

__all__ = ["main"]
