"""Who may import whom: each room is imported in a fresh interpreter and must not drag in what it may not know."""

import subprocess
import sys

import pytest

ROOMS = {
    "drumbeat": "boto3 botocore aws_lambda_powertools aws_cdk moto drumbeat.ledger drumbeat.runtime drumbeat.local",
    "drumbeat.ledger.reader": "aws_cdk moto drumbeat.cdk drumbeat.local drumbeat.testing drumbeat.cli",
    "drumbeat.control": "aws_lambda_powertools aws_cdk moto drumbeat.runtime drumbeat.cdk drumbeat.local drumbeat.cli",
    "drumbeat.runtime.dispatch": "aws_cdk moto drumbeat.cdk drumbeat.local drumbeat.testing drumbeat.cli",
    "drumbeat.runtime.take": "aws_cdk moto drumbeat.cdk drumbeat.local drumbeat.testing drumbeat.cli",
    "drumbeat.runtime.keep": "aws_cdk moto drumbeat.cdk drumbeat.local drumbeat.testing drumbeat.cli",
    "drumbeat.cdk": "boto3 moto drumbeat.ledger drumbeat.runtime drumbeat.local",
    "drumbeat.local": "aws_cdk drumbeat.cdk drumbeat.cli drumbeat.testing",
    "drumbeat.plan": "boto3 moto aws_cdk drumbeat.local drumbeat.cdk",
    "drumbeat.cli": "boto3 moto aws_cdk drumbeat.local drumbeat.cdk drumbeat.control",
    "drumbeat.testing": "aws_cdk drumbeat.cdk",
    "handlers.sunrise": "boto3 moto aws_cdk stacks airportsdata",
    "stacks.drumbeat_stack": "boto3 moto drumbeat.ledger drumbeat.runtime drumbeat.local",
}


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_it_may(room: str) -> None:
    code = f"import sys, {room}; print([name for name in {ROOMS[room].split()!r} if name in sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

    assert (0, "[]\n") == (done.returncode, done.stdout), done.stderr
