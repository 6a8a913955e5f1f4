"""An app of two tasks, one after the other: small, so that its keeper's rounds cost little."""

from pathlib import Path

from aws_cdk import App

from drumbeat.cdk import bundle_code
from drumbeat.discovery import discover
from stacks.drumbeat_stack import DrumbeatStack

SHARED = Path("../../../.drumbeat")  # the same third-party code: so this app needs no package index of its own

app = App()
tasks = discover("handlers")
DrumbeatStack(app, "Drumbeat", tasks=tasks, code=bundle_code(tasks, cache=SHARED))
app.synth()
