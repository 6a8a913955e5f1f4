"""An app with a task of every kind."""

from datetime import UTC, datetime

from drumbeat import Allow, At, Cron, DynamoItems, Event, Range, Rate, S3Lines, S3Objects, Task


def nothing(run):
    return [run.id]


def ignore(item, run):
    """Do no work."""


def make(name, source=nothing, **declared: object):
    task = Task(name, module=f"handlers.{name}", **declared)
    task.expand(source)
    task.work(ignore)
    return task


TASKS = {
    task.name: task
    for task in (
        make("nightly", schedule=Cron("0 0 * * ? *"), timeout_s=120),
        make(
            "often",
            schedule=Rate(minutes=5),
            idempotent_by="id",
            tracing=True,
            batch_size=20,
            batch_window_s=30,
            max_concurrency=7,
            environment={"GREETING": "hello"},
        ),
        make(
            "berlin",
            S3Lines("in/{run.scheduled_at:%Y}/x.jsonl"),
            schedule=Cron("0 3 * * ? *", timezone="Europe/Berlin"),
        ),
        make("once", Range(0, 10), schedule=At("2030-01-01T00:00:00")),
        make(
            "relaxed",
            S3Objects("photos/", bucket="elsewhere"),
            schedule=Rate(hours=1, window_minutes=10, start=datetime(2030, 1, 1, tzinfo=UTC)),
        ),
        make(
            "manual",
            DynamoItems("customers"),
            permissions=(
                Allow("ses:SendEmail", on="arn:aws:ses:eu-west-1:111122223333:identity/x"),
                Allow("s3:ListBucket", on="arn:aws:s3:::prices", to="expand"),
                Allow("s3:PutObject", on="arn:aws:s3:::reports/*", to="complete"),
                Allow("s3:GetObject", on="arn:aws:s3:::{bucket}/templates/*"),
            ),
        ),
        make("fixed", S3Lines("in/fixed.jsonl", bucket="elsewhere")),
        make("gallery", S3Objects("photos/{run.task}/")),
        make("after-both", after=["nightly", "often"]),
        make(
            "on-order", on=Event(source="my.shop", detail_type="Order placed", detail={"size": [{"numeric": [">", 1]}]})
        ),
    )
}
