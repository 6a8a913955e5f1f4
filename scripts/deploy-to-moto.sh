#!/bin/sh
# Runs the real `cdk bootstrap` and `cdk deploy` against a moto server on loopback, then says what of the template
# moto made. Needs the virtual environment and `npm ci`; no AWS account. PORT=5055 by default.
set -eu
cd "$(dirname "$0")/.."
PORT="${PORT:-5055}"
PATH="${VIRTUAL_ENV:-$PWD/.venv}/bin:$PATH"
# localhost, not 127.0.0.1: moto finds a template above 50 KiB (three tasks or more) by that word only.
export AWS_ENDPOINT_URL="http://localhost:$PORT" AWS_ENDPOINT_URL_S3="http://localhost:$PORT"
export AWS_ACCESS_KEY_ID=123456789012 AWS_SECRET_ACCESS_KEY=fake AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export CDK_VALIDATION=false MOTO_LAMBDA_USE_DOCKER=false
unset AWS_PROFILE AWS_SESSION_TOKEN || true

moto_server -H 127.0.0.1 -p "$PORT" >/dev/null 2>&1 &
server=$!
trap 'kill $server' EXIT
until python -c "import socket; socket.create_connection(('127.0.0.1', $PORT)).close()" 2>/dev/null; do sleep 0.2; done

npx cdk bootstrap aws://123456789012/us-east-1
npx cdk deploy --require-approval never --output "${OUTPUT:-cdk.out}" || failed=$?
python scripts/made_by_moto.py "${OUTPUT:-cdk.out}/Drumbeat.template.json"
exit "${failed:-0}"
