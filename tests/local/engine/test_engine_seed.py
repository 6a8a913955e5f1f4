"""The same seed gives the same bytes in another process, whatever Python's hash seed is."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

RUN = """
import hashlib, sys
from datetime import UTC, datetime
from drumbeat.local import LocalCloud
with LocalCloud(sys.argv[1], start=datetime(2026, 3, 1, tzinfo=UTC), seed=int(sys.argv[2])) as cloud:
    cloud.advance(minutes=10)
    cloud.run_until_idle()
    lines = "".join(f"{line.ns} {line.text}" for line in cloud.logs("one"))
    print(hashlib.sha256((cloud.log.jsonl() + lines).encode()).hexdigest())
"""
CODE = """
    import os, random, uuid, boto3
    from concurrent.futures import ThreadPoolExecutor
    sqs = boto3.client("sqs")
    def handler(event, context):
        with ThreadPoolExecutor(3) as pool:
            list(pool.map(lambda n: sqs.send_message(QueueUrl=os.environ["QUEUE"], MessageBody=str(n)), range(6)))
        print(uuid.uuid4(), random.random(), sorted({"a", "b", "c"}))
"""


def test_two_processes_agree_and_two_seeds_dont(app):
    app.queue("Queue")
    app.function("one", CODE, env={"QUEUE": {"Ref": "Queue"}})
    app.function("two", "import time\ndef handler(e, c): time.sleep(len(e['Records']))")
    app.mapping("Queue", "two")
    app.rule("Rule", "one", ScheduleExpression="rate(1 minute)")
    directory = app.write()

    def digest(seed, hash_seed):
        return subprocess.run(
            [sys.executable, "-c", RUN, str(directory), seed],
            env={**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(Path(__file__).parents[3])},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    first = digest("1", "1")
    assert len(hashlib.sha256().hexdigest()) == len(first)
    assert first == digest("1", "2")
    assert first != digest("2", "1")
