"""An app whose worker is started from a snapshot."""

from pathlib import Path

from aws_cdk import App

from drumbeat.cdk import Target, bundle_code
from drumbeat.discovery import discover
from stacks.drumbeat_stack import DrumbeatStack

SHARED = Path("../../../.drumbeat")  # the repository's cache: so this app needs no package index of its own

app = App()
tasks = discover("handlers")
# the code is bundled for this Python, which runs it here; what is deployed must be one of which Lambda has snapshots
DrumbeatStack(app, "Drumbeat", tasks=tasks, code=bundle_code(tasks, cache=SHARED), target=Target(python="3.13"))
app.synth()
