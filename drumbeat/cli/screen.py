"""Consoles: standard output for what was asked for, standard error for progress."""

import sys

from rich.console import Console

_PIPED_WIDTH = 150


def screen() -> Console:
    """Return standard output; a pipe has no width, so that nothing is folded needlessly."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_PIPED_WIDTH)


def progress_screen() -> Console:
    """Return standard error as it is now: what replaces `sys.stderr` later isn't used."""
    return Console(file=sys.stderr, highlight=False)
