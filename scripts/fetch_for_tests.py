"""Fetch what the bundles of the tests' apps are made of, in every combination, so that the tests need no network."""

from itertools import product
from pathlib import Path

from drumbeat import Cron, Task
from drumbeat.cdk import Target
from drumbeat.cdk.layer import layer
from drumbeat.cdk.requirements import merge, own

CACHE = Path(__file__).parents[1] / ".drumbeat"

if __name__ == "__main__":
    for timezone, tracing in product((None, "UTC"), (False, True)):
        task = Task("any", schedule=Cron("0 0 * * ? *", timezone=timezone), tracing=tracing)
        layer(merge(own([task]), {}), target=Target(), cache=CACHE)
