"""One task for each way to treat a fire while an earlier run is active, and one with a rate; an item is its seconds."""

import time
from datetime import timedelta

from drumbeat import Cron, Range, Rate, Run, Task


def take(item: float, run: Run) -> float:
    """Take so many seconds."""
    del run
    time.sleep(item)
    return item


skips = Task("skips", schedule=Cron("0 * * * ? *"), overlap="skip", catch_up=timedelta(hours=4), timeout_s=900)
beats = Task("beats", schedule=Rate(hours=1))
one_waits = Task("one-waits", overlap="buffer_one", timeout_s=900)
all_wait = Task("all-wait", overlap="buffer_all", timeout_s=900)
cancels = Task("cancels", overlap="cancel_other", timeout_s=900)
two_at_most = Task("two-at-most", overlap="allow", max_active_runs=2, timeout_s=900)
any_number = Task("any-number", overlap="allow", timeout_s=900)

for task in (skips, beats, one_waits, all_wait, cancels, two_at_most, any_number):
    task.expand(Range(1, 4))
    task.work(take)
