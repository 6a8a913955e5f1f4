"""An app with a task for each thing that may happen in the life of a run."""

from pathlib import Path

from aws_cdk import App, Duration

from drumbeat.cdk import bundle_code
from drumbeat.discovery import discover
from stacks.drumbeat_stack import DrumbeatStack

SHARED = Path("../../../.drumbeat")  # the repository's cache: so this app needs no package index of its own

app = App()
tasks = discover("handlers")
code = bundle_code(tasks, cache=SHARED)
DrumbeatStack(app, "Emulated", tasks=tasks, code=code, keeper_every=Duration.minutes(1))
app.synth()
