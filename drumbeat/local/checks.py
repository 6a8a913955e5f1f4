"""What a real deployment refuses, or what fails only when it runs, checked once everything is there.

A rule may name a target that doesn't exist, and a function a destination: AWS takes them, and loses the events.
"""

from collections.abc import Iterator

from moto.sqs.models import sqs_backends

from .bucket_events import undeliverable
from .deployment import Deployment, Function, Target
from .errors import ResourceRejected
from .iam import Authorizer
from .universal import is_universal

_DELIVERED = frozenset({"lambda", "sqs", "sns", "events", "logs"})
_MISSING = "is not in the stacks deployed here; deploy the stack that has it, too, or mend the ARN"


def check(deployment: Deployment) -> list[str]:
    """Return what is wrong, a sentence each."""
    buckets = undeliverable(deployment, Authorizer(deployment).check_service)
    return [*_targets(deployment), *_queues(deployment), *_functions(deployment), *_trust(deployment), *buckets]


def refuse(problems: list[str]) -> None:
    """Raise all the problems as one error."""
    if problems:
        raise ResourceRejected("\n".join(problems))


def _targets(deployment: Deployment) -> Iterator[str]:
    for rule in deployment.rules:
        for target in rule.targets:
            yield from _target(deployment, f"rule {rule.logical_id}", target)
    for schedule in deployment.schedules:
        yield from _target(deployment, f"schedule {schedule.logical_id}", schedule.target)


def _target(deployment: Deployment, what: str, target: Target) -> Iterator[str]:
    for arn, use in ((target.arn, "target"), (target.dead_letter_arn, "dead-letter queue")):
        if arn is not None and not _exists(deployment, arn):
            yield f"{what}: its {use} {arn} {_MISSING}"
    service = target.arn.split(":")[2]
    if not is_universal(target.arn) and service not in _DELIVERED:
        yield (
            f"{what}: the local cloud delivers to functions, queues, topics, buses and log groups, and calls"
            f" universal targets; {target.arn} it can't reach. Leave it out by a condition, or deploy with"
            " strict=False: each delivery then fails, and is logged"
        )
    if target.arn.startswith("arn:aws:sqs:") and target.arn.endswith(".fifo") and target.message_group_id is None:
        yield f"{what}: its target {target.arn} is a FIFO queue and needs a message group id"


def _queues(deployment: Deployment) -> Iterator[str]:
    """Check what moto doesn't: it refuses a dead-letter queue that isn't there, or a standard one for a FIFO queue."""
    queues = {queue.arn: queue for queue in deployment.queues}
    for queue in deployment.queues:
        dead = queues.get(queue.dead_letter_arn or "")
        if dead is not None and dead.fifo and not queue.fifo:
            yield f"queue {queue.logical_id}: the dead-letter queue of a standard queue must be one, too"


def _functions(deployment: Deployment) -> Iterator[str]:
    for function in deployment.functions:
        for arn in (function.dead_letter_arn, function.on_failure_arn, function.on_success_arn):
            if arn is not None and not _exists(deployment, arn):
                yield f"function {function.logical_id}: its destination {arn} {_MISSING}"
        if function.runtime.startswith("python") and not _has_handler(function):
            yield (
                f"function {function.logical_id}: there is no module for its handler {function.handler!r} in its code"
                f" {function.code} or its layers; Lambda would take it, and fail at every invocation"
            )


def _has_handler(function: Function) -> bool:
    """Tell whether the handler's module is there: a file, a package, or an extension; a layer left out may have it."""
    module = function.handler.rpartition(".")[0].replace(".", "/")
    folders = [function.code, *(part for layer in function.layers for part in (layer / "python", layer))]
    found = (path for folder in folders for path in folder.glob(f"{module}*") if module)
    return function.layers_missing or any(path.name.partition(".")[0] == module.rpartition("/")[2] for path in found)


def _trust(deployment: Deployment) -> Iterator[str]:
    """Check that Lambda, and Scheduler, may assume the roles they are given."""
    authorizer = Authorizer(deployment)
    for function in deployment.functions:
        if not authorizer.trusts(function.role_arn, "lambda.amazonaws.com", function.arn):
            yield f"function {function.logical_id}: the role defined for it {_cannot('lambda')}"
    for schedule in deployment.schedules:
        role = schedule.target.role_arn
        if role is not None and not authorizer.trusts(role, "scheduler.amazonaws.com", schedule.arn):
            yield f"schedule {schedule.logical_id}: the role defined for its target {_cannot('scheduler')}"


def _cannot(service: str) -> str:
    return f"cannot be assumed: its trust policy has to allow sts:AssumeRole to {service}.amazonaws.com"


def _exists(deployment: Deployment, arn: str) -> bool:
    """Tell whether a queue or function of this account and region is there; what is elsewhere is taken on trust."""
    _, _, service, region, account, resource = arn.split(":", 5)
    if account != deployment.account:
        return True
    if service == "sqs":
        return resource in sqs_backends[account][region].queues
    if service == "lambda":
        return any(_names(function, arn) for function in deployment.functions)
    return True


def _names(function: Function, arn: str) -> bool:
    return arn == function.arn or arn.startswith(f"{function.arn}:")
