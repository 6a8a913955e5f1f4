"""Where errors end: one clear sentence on standard error and an exit status, never a traceback unless --debug."""

import sys
import traceback
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from typer.core import TyperGroup
from typer.exceptions import Abort

from drumbeat.errors import DrumbeatError

from .plain import plain, visible

USER_MISTAKE, OTHER_FAILURE, INTERRUPTED = 2, 1, 130


class Refused(DrumbeatError):
    """What was asked on the command line can't be done."""


class Commands(TyperGroup):
    """The commands, behind the one place where an exception becomes text."""

    def main(self, args: Sequence[str] | None = None, *arguments: Any, **options: Any) -> Any:
        """Run a command and exit with its status."""
        args = list(sys.argv[1:] if args is None else args)
        options["standalone_mode"] = False
        try:
            status = super().main(args, *arguments, **options)
        except (KeyboardInterrupt, Abort):
            status = INTERRUPTED
        except Exception as error:  # noqa: BLE001  (this is the edge)
            if "--debug" in args:
                sys.stderr.write(visible(traceback.format_exc(), lines=True))
            message, status = _told(error)
            text = f"[bold red]error:[/] {plain(message, lines=True)}"
            Console(stderr=True, soft_wrap=True).print(text, highlight=False)
        sys.exit(status if isinstance(status, int) else 0)


def _told(error: Exception) -> tuple[str, int]:
    if isinstance(error, DrumbeatError):
        return str(error), USER_MISTAKE
    if hasattr(error, "format_message"):  # the command line itself: an unknown option, a missing argument
        return f"{error.format_message().rstrip('.')}; --help tells what there is", USER_MISTAKE
    text = f"{type(error).__name__}: {error}"
    return f"drumbeat failed where it shouldn't ({text}); repeat it with --debug before the command", OTHER_FAILURE
