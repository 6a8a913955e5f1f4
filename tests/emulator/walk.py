# ruff: noqa: T201
"""Walk through the life of a run on an emulator that is not ours, with the installed command: `make emulator`.

Starts the emulator on loopback, bootstraps and deploys the app in `app/` with the real CDK command line, does what each
row of ROWS says, checks what came of it at the far end, prints a table, and stops the emulator.
"""

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import boto3
from rows import ROWS, events
from shell import Shell

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
APP = HERE / "app"
EMULATOR = ROOT / ".venv-emulator" / "bin" / "python"
ACCOUNT, REGION = "123456789012", "us-east-1"
AT_ONCE = 5  # three rows mostly wait for the clock
NOT_SHOWN = {
    "2 missed fires": "a fire that never comes is MISSED after ten minutes, longer than this walk; see the local cloud",
    "12 runtime schedules": "ministack leaves <aws.scheduler.scheduled-time> as it is; start.py fills it in, as AWS",
    "permissions": "ministack asks nobody for permission unless told to; the local cloud does",
}
"""What isn't shown here, or with help, and why."""


def main() -> int:
    """Walk; 0 if all rows were shown."""
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("interrupted"))  # so that the emulator is stopped
    port = _free_port()
    environment = _environment(port)
    os.environ.update(environment)
    with _emulator(port):
        _cdk("bootstrap", f"aws://{ACCOUNT}/{REGION}")
        _cdk("deploy", "--require-approval", "never")
        drumbeat = Shell(APP, Path(sys.executable).parent / "drumbeat", environment)
        told = _listen(drumbeat.session)
        print(f"deployed after {time.monotonic() - began:.0f} s", flush=True)
        done = _walk(drumbeat, sys.argv[1:])
        done.append(_try("14 events", lambda: events(drumbeat, told)))
    print(f"\n{len(done)} rows, {time.monotonic() - began:.0f} s")
    for name, ok, said in sorted(done, key=lambda row: int(row[0].split()[0])):
        print(f"  {'shown ' if ok else 'FAILED'}  {name:24}  {said}")
    for name, why in NOT_SHOWN.items():
        print(f"  note    {name:24}  {why}")
    return 0 if all(ok for _, ok, _ in done) else 1


def _walk(drumbeat: Shell, only: list[str]) -> list[tuple[str, bool, str]]:
    pool = ThreadPoolExecutor(AT_ONCE)
    rows = [(name, row) for name, row in ROWS if not only or row.__name__ in only]
    jobs = [pool.submit(_try, name, lambda row=row: row(drumbeat)) for name, row in rows]
    try:
        return [job.result() for job in jobs]
    finally:
        pool.shutdown(wait=False, cancel_futures=True)  # at once, if the walk is interrupted


def _try(name: str, row: Any) -> tuple[str, bool, str]:
    began = time.monotonic()
    try:
        ok, said = True, row()
    except Exception as error:  # noqa: BLE001  (each row is to be told of)
        ok, said = False, f"{type(error).__name__}: {error}"
    print(f"  {name}: {'shown' if ok else f'FAILED, {said}'} ({time.monotonic() - began:.0f} s)", flush=True)
    return name, ok, said


def _environment(port: int) -> dict[str, str]:
    url = f"http://localhost:{port}"
    return {
        "AWS_ENDPOINT_URL": url,
        "AWS_ENDPOINT_URL_S3": url,
        "AWS_ACCESS_KEY_ID": ACCOUNT,
        "AWS_SECRET_ACCESS_KEY": "fake",
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "CDK_VALIDATION": "false",
        "JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION": "20",
        "PYTHONPATH": str(ROOT),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }


@contextlib.contextmanager
def _emulator(port: int) -> Iterator[None]:
    settings = {
        "GATEWAY_PORT": str(port),
        "BIND_HOST": "127.0.0.1",
        "MINISTACK_HOST": "localhost",
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "PATH": f"{EMULATOR.parent}:{os.environ['PATH']}",
        "PYTHONPATH": "",
    }
    log = APP / "cdk.out" / "emulator.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("w", encoding="utf-8") as file:
        server = subprocess.Popen(
            [EMULATOR, HERE / "start.py"],
            env={**os.environ, **settings},
            stdout=file,
            stderr=file,
            start_new_session=True,
        )
        try:
            _await(port, server)
            yield
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # its functions' processes, too
            server.wait(30)


def _await(port: int, server: subprocess.Popen[bytes]) -> None:
    for _ in range(300):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        if server.poll() is not None:
            break
        time.sleep(0.1)
    raise SystemExit("the emulator didn't start; see tests/emulator/app/cdk.out/emulator.log")


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _cdk(*arguments: str) -> None:
    done = subprocess.run(
        [ROOT / "node_modules" / ".bin" / "cdk", *arguments], cwd=APP, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"cdk {arguments[0]} failed:\n{done.stdout}{done.stderr}")


def _listen(session: Any) -> Any:
    """Let a queue hear what drumbeat tells on EventBridge; returns what reads it to its end."""
    sqs, bus = session.client("sqs"), session.client("events")
    url = sqs.create_queue(QueueName="heard")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    bus.put_rule(Name="heard", EventPattern=json.dumps({"source": ["drumbeat"]}))
    bus.put_targets(Rule="heard", Targets=[{"Id": "heard", "Arn": arn}])

    def told() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while messages := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages"):
            for message in messages:
                found.append(json.loads(message["Body"])["detail"])
                sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return found

    return told


if __name__ == "__main__":
    boto3.set_stream_logger("botocore", level=50)
    sys.exit(main())
