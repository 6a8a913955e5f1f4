"""What `cdk synth` and `cdk deploy` run: the tasks in `handlers/`, as one stack."""

from aws_cdk import App

from drumbeat.cdk import bundle_code
from drumbeat.discovery import discover
from drumbeat.errors import DrumbeatError
from stacks.drumbeat_stack import DrumbeatStack


def main() -> None:
    app = App()
    tasks = discover("handlers")
    DrumbeatStack(app, "Drumbeat", tasks=tasks, code=bundle_code(tasks))
    app.synth()


if __name__ == "__main__":
    try:
        main()
    except DrumbeatError as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None
