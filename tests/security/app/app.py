"""An app that handles secrets carelessly, with a key of its own: the tasks in `handlers/` beside this file."""

from pathlib import Path

from aws_cdk import App

from drumbeat.cdk import bundle_code
from drumbeat.discovery import discover
from stacks.drumbeat_stack import DrumbeatStack

SHARED = Path("../../../.drumbeat")  # the repository's cache: so this app needs no package index of its own


app = App()
tasks = discover("handlers")
DrumbeatStack(app, "Drumbeat", tasks=tasks, code=bundle_code(tasks, cache=SHARED), encryption_key=True)
app.synth()
