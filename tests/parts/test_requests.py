"""The cost model against runs that are expanded in parts: they make exactly the requests that are forecast."""

from pathlib import Path
from typing import Any

import pytest

from tests.plan.counting import agree, counting, declared

DECLARED = declared(Path(__file__).parent / "app" / "handlers" / "divided.py")
KNOWN: dict[str, Any] = {"reads": False, "returns": False, "published": 1}


@pytest.mark.parametrize(("name", "items", "item_bytes"), [("numbers", 34, 3), ("inline", 10, 1)])
def test_a_range(drumbeat_assembly: Path, name: str, items: int, item_bytes: int) -> None:
    with counting(drumbeat_assembly) as count:
        agree(count(name), getattr(DECLARED, name), items=items, item_bytes=item_bytes, **KNOWN)


@pytest.mark.parametrize(("name", "head"), [("lines", ""), ("people", "number\n")])
def test_an_object(drumbeat_assembly: Path, name: str, head: str) -> None:
    with counting(drumbeat_assembly) as count:
        body = head + "".join(f"{n}\n" for n in range(100_000, 100_025))
        key = f"inputs/{name}.{'csv' if head else 'jsonl'}"
        count.cloud.client("s3").put_object(Bucket=count.cloud.bucket, Key=key, Body=body.encode())

        agree(count(name), getattr(DECLARED, name), items=25, item_bytes=6, **KNOWN)
