"""Charge the open invoices, each night at half past two in Berlin: a list in S3, a slow provider, and what fails.

The list has what lists have.  For some invoices the provider is busy at first: they are tried again, after a while.
One has an amount that is no number: it becomes a dead letter, and the others are charged all the same.
"""

import asyncio
import json
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from drumbeat import Backoff, Cron, Run, S3Lines, Task

invoices = Task(
    "invoices",
    schedule=Cron("30 2 * * ? *", timezone="Europe/Berlin"),  # with a zone: EventBridge Scheduler, not a rule
    memory_mib=256,
    timeout_s=60,
    max_concurrency=5,
    concurrency=10,  # invoices at the same time in one invocation
    chunk_size=20,
    retries=5,
    backoff=Backoff(first_s=10, cap_s=120),
    tolerated_failure_percentage=1,
    item_s=0.5,
)
invoices.expand(S3Lines("inputs/invoices.jsonl"))


class ProviderBusy(Exception):
    """The payment provider asks to come back later."""


class Provider:
    """Stands in for a payment provider; a repeated charge under one key is one charge."""

    def __init__(self) -> None:
        self._asked: set[str] = set()

    async def charge(self, invoice: dict[str, Any], amount: Decimal, *, key: str) -> str:
        """Return a receipt; a wallet wants to be asked twice."""
        await asyncio.sleep(0)  # here a real one would wait for the network
        if invoice["method"] == "wallet" and key not in self._asked:
            self._asked.add(key)
            raise ProviderBusy(f"{invoice['id']}: the wallet is busy, ask again")
        return f"{key}:{amount}"


provider = Provider()  # once per execution environment, like any connection


@invoices.work
async def charge(invoice: dict[str, Any], run: Run) -> dict[str, str]:
    """Charge one invoice: its key makes it safe to do so again."""
    try:
        amount = Decimal(invoice["amount"])
    except InvalidOperation:
        raise ValueError(f"{invoice['id']}: amount {invoice['amount']!r} is no number; write it like 1249.00") from None
    receipt = await provider.charge(invoice, amount, key=f"{run.id}/{invoice['id']}")
    return {"amount": str(amount), "currency": invoice["currency"], "receipt": receipt}


@invoices.complete
def publish(run: Run, results: Iterator[dict[str, str]]) -> None:
    """Write totals.json: how many were charged, and how much by currency."""
    import boto3

    charged = 0
    totals: dict[str, Decimal] = {}
    for result in results:
        charged += 1
        totals[result["currency"]] = totals.get(result["currency"], Decimal()) + Decimal(result["amount"])
    summary = {"charged": charged, "totals": {currency: f"{total}" for currency, total in sorted(totals.items())}}
    boto3.client("s3").put_object(
        Bucket=run.bucket,
        Key=f"{run.prefix}/totals.json",
        Body=json.dumps(summary, indent=2).encode(),
        ContentType="application/json",
    )
