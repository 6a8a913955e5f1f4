"""What a target gets: the event, a constant, a part of it, or a template filled from it.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html and, for schedules,
https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from .deployment import Target

_VARIABLE = re.compile(r"<([\w.\-]+)>")
_STEP = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\['([^']+)'\]")
_MISSING = object()


def rule_input(target: Target, event: Mapping[str, Any], *, rule_arn: str, rule_name: str) -> str:
    """The text that a rule sends to a target."""
    if target.input is not None:
        return target.input
    if target.input_path is not None:
        return json.dumps(pick(event, target.input_path))
    if target.input_template is None:
        return json.dumps(event)
    values: dict[str, Any] = {name: pick(event, path) for name, path in target.input_paths.items()}
    values |= {
        "aws.events.rule-arn": rule_arn,
        "aws.events.rule-name": rule_name,
        "aws.events.event.ingestion-time": event.get("time"),
        "aws.events.event": {key: value for key, value in event.items() if key != "detail"},
        "aws.events.event.json": dict(event),
    }
    return fill(target.input_template, values)


def fill(template: str, values: Mapping[str, Any]) -> str:
    """Replace `<name>`: inside quotes as text, outside as JSON; a name without value becomes empty text or null."""
    parts: list[str] = []
    quoted, at = False, 0
    for match in _VARIABLE.finditer(template):
        before = template[at : match.start()]
        quoted ^= _quotes(before) % 2 == 1
        parts.append(before)
        value = values.get(match.group(1), _MISSING)
        if value is _MISSING:
            parts.append(match.group(0))
        elif quoted:
            text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
            parts.append(json.dumps(text)[1:-1])
        else:
            parts.append(json.dumps(value))
        at = match.end()
    return "".join(parts) + template[at:]


def _quotes(text: str) -> int:
    return len(re.findall(r'(?<!\\)"', text))


def pick(event: Any, path: str) -> Any:
    """The part of an event at a simple JSON path, None if it isn't there."""
    found = event
    for name, index, quoted in _STEP.findall(path.removeprefix("$")):
        try:
            found = found[int(index)] if index else found[name or quoted]
        except (KeyError, IndexError, TypeError):
            return None
    return found


def schedule_input(target: Target, attributes: Mapping[str, str], event: Mapping[str, Any]) -> str:
    """The text that a schedule sends: its input with the context attributes, or Scheduler's own event."""
    text = target.input
    if text is None:
        return json.dumps(event)
    for name, value in attributes.items():
        text = text.replace(f"<aws.scheduler.{name}>", value)
    return text
