"""Start the emulator, with what it lacks of EventBridge Scheduler: the context attributes of a schedule's input.

https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
"""

from datetime import UTC, datetime
from typing import Any

from ministack.app import main
from ministack.services import eventbridge

_invoke_target = eventbridge._invoke_target


def with_scheduled_time(target: dict[str, Any], event: dict[str, Any], *others: Any) -> None:
    """Invoke a target; that of a schedule is told the minute that it was scheduled for."""
    if event.get("Source") == "aws.scheduler":
        minute = datetime.fromtimestamp(event["Time"] // 60 * 60, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        target = {**target, "Input": target.get("Input", "").replace("<aws.scheduler.scheduled-time>", minute)}
    _invoke_target(target, event, *others)


if __name__ == "__main__":
    eventbridge._invoke_target = with_scheduled_time
    main()
