"""The invoices task: a list in S3, asynchronous work, what is tried again, and what is given up."""

import asyncio
import json
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from drumbeat import Run, S3Lines
from drumbeat.run import parse_time
from handlers import invoices as module
from handlers.invoices import ProviderBusy, charge, invoices, publish

RUN = Run("invoices", parse_time("2026-11-22T01:30:00Z"), bucket="books")
INVOICE = {"id": "INV-1", "customer": "Ann", "amount": "12.50", "currency": "EUR", "method": "card"}


@pytest.fixture(autouse=True)
def provider(monkeypatch):
    monkeypatch.setattr(module, "provider", module.Provider())


def do(invoice: dict[str, str]) -> dict[str, str]:
    return asyncio.run(charge(invoice, RUN))


def test_an_invoice_is_charged_under_a_key_that_makes_a_repeat_harmless():
    assert do(INVOICE) == do(INVOICE)
    assert {"amount": "12.50", "currency": "EUR", "receipt": f"{RUN.id}/INV-1:12.50"} == do(INVOICE)


def test_a_wallet_is_busy_once():
    wallet = {**INVOICE, "method": "wallet"}

    with pytest.raises(ProviderBusy, match="INV-1"):
        do(wallet)
    assert "12.50" == do(wallet)["amount"]


def test_an_amount_that_is_no_number_is_refused_each_time():
    for _ in range(2):
        with pytest.raises(ValueError, match=r"INV-1: amount '1.249,00' is no number; write it like 1249.00"):
            do({**INVOICE, "amount": "1.249,00"})


def test_the_list_has_one_invoice_that_cannot_be_charged_and_the_task_tolerates_it():
    assert S3Lines("inputs/invoices.jsonl") == invoices.source
    lines = [json.loads(line) for line in Path("inputs/invoices.jsonl").read_text(encoding="utf-8").splitlines()]

    refused = []
    for line in lines:
        try:
            do({**line, "method": "card"})
        except ValueError:
            refused.append(line["id"])

    assert ["INV-00137"] == refused
    assert 100 * len(refused) / len(lines) <= invoices.tolerated_failure_percentage
    assert any(line["method"] == "wallet" for line in lines)


def test_the_totals_are_by_currency(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION"):
        monkeypatch.setenv(name, "us-east-1")
    results = [
        {"amount": "0.10", "currency": "EUR"},
        {"amount": "5", "currency": "CHF"},
        {"amount": "0.20", "currency": "EUR"},
    ]
    with mock_aws():
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket=RUN.bucket)
        publish(RUN, iter(results))
        totals = json.load(s3.get_object(Bucket=RUN.bucket, Key=f"{RUN.prefix}/totals.json")["Body"])

    assert {"charged": 3, "totals": {"CHF": "5", "EUR": "0.30"}} == totals
