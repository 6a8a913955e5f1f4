"""Two stacks of drumbeat's in one app, each with its task, in a package of another name."""

from pathlib import Path

from aws_cdk import App

from drumbeat.cdk import bundle_code
from drumbeat.discovery import discover
from stacks.drumbeat_stack import DrumbeatStack

SHARED = Path("../../../.drumbeat")

app = App()
tasks = discover("work")
for name in tasks:
    code = bundle_code(tasks, handlers="work", cache=SHARED)
    DrumbeatStack(app, name.title(), tasks={name: tasks[name]}, code=code, handlers="work")
app.synth()
