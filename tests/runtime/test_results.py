"""Where the results of a run's chunks are kept, and that the fan-in has them all the same."""

import json
import zlib
from base64 import b64encode
from random import Random
from types import SimpleNamespace
from typing import Any

import pytest

from drumbeat.errors import RecordInvalid
from drumbeat.ledger.table import Table
from drumbeat.runtime import results
from drumbeat.testing.cloud import AppCloud


def test_small_results_are_kept_in_the_ledger_and_large_ones_in_s3(cloud: AppCloud) -> None:
    small = ["a"] * 10
    long = [f"{'é' * 300}{n}" for n in range(10)]
    noise = [b64encode(Random(n).randbytes(600)).decode() for n in range(10)]

    run = cloud.run("plain", items=[*small, *long, *noise])

    listed = cloud.client("s3").list_objects_v2(Bucket=cloud.bucket, Prefix=f"runs/{run.id}/results/")
    table = Table(cloud.client("dynamodb"), cloud.table)
    kept = [[record["results"][:1] for record in table.query(f"results#{run.id}#{chunk}")] for chunk in range(3)]
    assert 3 == run.chunks
    assert [*small, *long, *noise] == json.loads(cloud.published(run)["all.json"])
    assert [f"runs/{run.id}/results/000000002.done.json"] == [found["Key"] for found in listed["Contents"]]
    assert [["{"], ["e"], []] == kept  # as JSON, compressed, not there


def test_results_that_unpack_to_more_than_was_ever_packed_are_refused() -> None:
    bomb = b64encode(zlib.compress(b'{"0":"' + b"x" * 50_000_000 + b'"}')).decode()
    services: Any = SimpleNamespace(table=SimpleNamespace(get=lambda _key: {"results": bomb}))

    with pytest.raises(RecordInvalid, match="the results of chunk 3"):
        results._kept(services, "plain/2026-01-01T00:00:00Z", (3, "done"))


def test_large_results_are_not_fetched_so_far_ahead_that_they_fill_the_memory() -> None:
    body, fetched = bytes(16 * 1024 * 1024), []

    def get(*, Bucket: str, Key: str) -> Any:  # noqa: N803  (boto3's names)
        fetched.append((Bucket, Key))
        return {"Body": SimpleNamespace(read=lambda: body)}

    services: Any = SimpleNamespace(settings=SimpleNamespace(bucket="b"), s3=SimpleNamespace(get_object=get))
    ahead = [len(fetched) - had for had, _ in enumerate(results.bodies(services, map(str, range(60))))]

    assert 60 == len(ahead)
    assert max(ahead) * len(body) <= 64 * 1024 * 1024
