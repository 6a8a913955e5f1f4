"""What a task's functions may do on AWS, beyond what drumbeat itself needs."""

from dataclasses import dataclass

from .errors import InvalidTask

FUNCTIONS = ("expand", "work", "complete")


@dataclass(frozen=True, init=False)
class Allow:
    """One IAM statement for the role behind one of the task's functions.

    `Allow("s3:GetObject", on="arn:aws:s3:::prices/*")` lets `work` read; `to="expand"` or `to="complete"` is for the
    dispatcher, which runs both.  In an ARN `{bucket}` stands for the app's bucket: `"arn:aws:s3:::{bucket}/inputs/*"`.
    """

    actions: tuple[str, ...]
    on: tuple[str, ...]
    to: str

    def __init__(self, *actions: str, on: str | tuple[str, ...], to: str = "work") -> None:
        object.__setattr__(self, "actions", actions)
        object.__setattr__(self, "on", (on,) if isinstance(on, str) else tuple(on))
        object.__setattr__(self, "to", to)
        if to not in FUNCTIONS:
            raise InvalidTask(f"Allow(to={to!r}): {', '.join(FUNCTIONS)} are allowed")
        for action in actions or ("",):
            service, colon, verb = action.partition(":")
            if not (service and colon and verb) or verb == "*" or service == "*":
                raise InvalidTask(f"Allow({action!r}): name actions one by one, like s3:GetObject; `*` isn't granted")
        if not self.on or "" in self.on:
            raise InvalidTask(f"Allow({', '.join(actions)}): name the resources' ARNs with on=...")
