"""A synthesized template, asked in drumbeat's words."""

import json
from functools import cached_property
from pathlib import Path


class Template:
    def __init__(self, path: Path) -> None:
        self.path = path
        template = json.loads(path.read_text())
        self.resources = template["Resources"]
        self.outputs = {name: output["Value"] for name, output in template["Outputs"].items()}

    def of(self, kind):
        """All resources of a type: properties by logical id."""
        return {key: made.get("Properties", {}) for key, made in self.resources.items() if made["Type"] == kind}

    def said(self, value):
        """A value with its references written out: `<Queue.Arn>`, `<Queue>`."""
        match value:
            case {"Ref": name}:
                return f"<{name}>"
            case {"Fn::GetAtt": [name, attribute]}:
                return f"<{name}.{attribute}>"
            case {"Fn::Join": [by, parts]}:
                return by.join(self.said(part) for part in parts)
            case dict():
                return {key: self.said(inner) for key, inner in value.items()}
            case list():
                return [self.said(inner) for inner in value]
        return value

    @cached_property
    def functions(self):
        """Logical ids of functions by (task, role in it); the keeper is ("keeper", "keeper")."""
        found = {}
        for key, function in self.of("AWS::Lambda::Function").items():
            variables = function["Environment"]["Variables"]
            kind = function["Handler"].split(".")[2]
            found[variables.get("DRUMBEAT_TASK", "keeper"), kind] = key
        return found

    def function(self, task, kind):
        return self.resources[self.functions[task, kind]]["Properties"]

    def statements(self, role):
        """What a role may do: every statement of every policy it has."""
        return [
            self.said(statement)
            for policy in self.of("AWS::IAM::Policy").values()
            if {"Ref": role} in policy["Roles"]
            for statement in policy["PolicyDocument"]["Statement"]
        ]

    def may(self, task, kind):
        """What a function may do: (action, resource) pairs."""
        role = self.function(task, kind)["Role"]["Fn::GetAtt"][0]
        return {
            (action, resource)
            for statement in self.statements(role)
            for action in as_list(statement["Action"])
            for resource in as_list(statement["Resource"])
        }

    def queues_of(self, task):
        """A task's work queue, and its dead letters: logical ids."""
        url = self.function(task, "dispatcher")["Environment"]["Variables"]["DRUMBEAT_QUEUE_URL"]["Ref"]
        redrive = self.resources[url]["Properties"]["RedrivePolicy"]
        return url, redrive["deadLetterTargetArn"]["Fn::GetAtt"][0]

    def backfill_of(self, task):
        """The queue of a task's backfills: its logical id."""
        return self.function(task, "dispatcher")["Environment"]["Variables"]["DRUMBEAT_BACKFILL_URL"]["Ref"]

    def only(self, kind):
        ((key, properties),) = self.of(kind).items()
        return key, properties


def as_list(value):
    return value if isinstance(value, list) else [value]
