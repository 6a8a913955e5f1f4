# ruff: noqa: T201
"""Say, by type, which of a template's resources a deployed stack has: `made_by_moto.py TEMPLATE`."""

import json
import sys
from collections import Counter
from pathlib import Path

import boto3


def main(template: Path) -> None:
    declared = json.loads(template.read_text("utf-8"))["Resources"]
    cloudformation = boto3.client("cloudformation")
    stack = template.name.split(".")[0]
    status = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]["StackStatus"]
    rows = cloudformation.describe_stack_resources(StackName=stack)["StackResources"]
    made = {row["LogicalResourceId"] for row in rows if row.get("ResourceType") and row.get("PhysicalResourceId")}
    wanted = Counter(resource["Type"] for resource in declared.values())
    there = Counter(resource["Type"] for name, resource in declared.items() if name in made)
    print(f"stack {stack}: {status}, {there.total()} of {wanted.total()} resources made")
    for kind, count in sorted(wanted.items()):
        if there[kind] < count:
            print(f"  {kind}: {there[kind]} of {count}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
