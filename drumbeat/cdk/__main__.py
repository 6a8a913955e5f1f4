"""`python -m drumbeat.cdk`: stage the bundle of the app in this folder: no later synth needs a package index."""

from drumbeat.discovery import discover
from drumbeat.errors import DrumbeatError

from .bundle import stage

if __name__ == "__main__":
    try:
        stage(discover("handlers"))
    except DrumbeatError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
