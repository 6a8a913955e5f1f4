"""One template under deployment: parameters, conditions, mappings, what refers to what, and in which order to create.

Source: "Template sections" of the AWS CloudFormation user guide. The Rules section isn't evaluated: CDK uses it for the
version of the bootstrap stack only, which nothing here needs.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from . import intrinsics
from .errors import TemplateError

Lookup = Callable[[str], str | None]


@dataclass(frozen=True)
class Created:
    """A resource as it was created: what Ref answers, and GetAtt."""

    physical_id: str
    attributes: Mapping[str, Any] = field(default_factory=dict)
    more: Callable[[str], Any] | None = None  # answers the attributes that `attributes` hasn't


@dataclass
class Template:
    """The scope that `intrinsics` looks names up in. `created` and `exports` grow as the deployment goes on."""

    stack: str
    body: Mapping[str, Any]
    pseudo: Mapping[str, Any]
    parameters: Mapping[str, Any]
    exports: Mapping[str, Any]
    created: dict[str, Created] = field(default_factory=dict)
    deployed: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # outputs of the stacks before, by stack
    _conditions: dict[str, bool | None] = field(default_factory=dict)

    def resolve(self, value: Any) -> Any:
        return intrinsics.resolve(value, self)

    def ref(self, name: str) -> Any:
        if name in self.pseudo:
            return self.pseudo[name]
        if name in self.parameters:
            return self.parameters[name]
        return self._resource(name).physical_id

    def attribute(self, logical_id: str, name: str) -> Any:
        created = self._resource(logical_id)
        if name in created.attributes:
            return created.attributes[name]
        if created.more is not None:
            return created.more(name)
        kind = self.body["Resources"][logical_id]["Type"]
        raise TemplateError(
            f"stack {self.stack!r}: {logical_id} ({kind}) has no attribute {name!r} in the local cloud;"
            f" it has {', '.join(sorted(created.attributes)) or 'none'}"
        )

    def condition(self, name: str) -> bool:
        """Evaluate a condition once; one that refers to itself is an error."""
        known = self._conditions.get(name)
        if known is not None:
            return known
        if name in self._conditions or name not in self.body.get("Conditions", {}):
            what = "refers to itself" if name in self._conditions else "is not in the template"
            raise TemplateError(f"stack {self.stack!r}: condition {name!r} {what}")
        self._conditions[name] = None
        value = self._conditions[name] = bool(self.resolve(self.body["Conditions"][name]))
        return value

    def mapping(self, name: str) -> Mapping[str, Any]:
        if name not in self.body.get("Mappings", {}):
            raise TemplateError(f"stack {self.stack!r}: no mapping {name!r}")
        found: Mapping[str, Any] = self.body["Mappings"][name]
        return found

    def imported(self, export: str) -> Any:
        if export not in self.exports:
            raise TemplateError(
                f"stack {self.stack!r} imports {export!r}, which no stack deployed before it exports;"
                f" deploy the stack that does, too (exports so far: {', '.join(sorted(self.exports)) or 'none'})"
            )
        return self.exports[export]

    def stack_output(self, stack: str, output: str) -> Any:
        if output not in self.deployed.get(stack, {}):
            known = [f"{name}.{key}" for name, outputs in self.deployed.items() for key in outputs]
            raise TemplateError(
                f"stack {self.stack!r} reads output {output!r} of stack {stack!r}, which no stack deployed before it"
                f" has; deploy the stack that does, too (outputs so far: {', '.join(sorted(known)) or 'none'})"
            )
        return self.deployed[stack][output]

    def active(self) -> dict[str, Mapping[str, Any]]:
        """Return the resources whose condition holds, each after those it refers to or depends on."""
        declared = {
            logical_id: resource
            for logical_id, resource in self.body.get("Resources", {}).items()
            if "Condition" not in resource or self.condition(resource["Condition"])
        }
        return {logical_id: declared[logical_id] for logical_id in in_order(declared, stack=self.stack)}

    def outputs(self) -> list[tuple[str, Any, Any]]:
        """Return each output as name, value and export name (or None)."""
        return [
            (name, self.resolve(output["Value"]), self.resolve(output.get("Export", {}).get("Name")))
            for name, output in self.body.get("Outputs", {}).items()
            if "Condition" not in output or self.condition(output["Condition"])
        ]

    def _resource(self, name: str) -> Created:
        if name in self.created:
            return self.created[name]
        declared = name in self.body.get("Resources", {})
        why = "its condition is false" if declared else "no parameter or resource has this name"
        raise TemplateError(f"stack {self.stack!r} refers to {name!r}, but {why}")


def in_order(resources: Mapping[str, Mapping[str, Any]], *, stack: str) -> list[str]:
    """Return the logical ids, each after what it refers to, otherwise in the template's order; a cycle is an error."""
    order: dict[str, bool] = {}  # False while it is being visited

    def visit(logical_id: str, path: tuple[str, ...]) -> None:
        if order.get(logical_id):
            return
        if logical_id in order:
            cycle = " -> ".join([*path[path.index(logical_id) :], logical_id])
            raise TemplateError(f"stack {stack!r}: circular dependency between resources: {cycle}")
        order[logical_id] = False
        for needed in dependencies(resources[logical_id]):
            if needed in resources:
                visit(needed, (*path, logical_id))
        del order[logical_id]  # so that it stands after what it needs
        order[logical_id] = True

    for logical_id in resources:
        visit(logical_id, ())
    return list(order)


def dependencies(resource: Mapping[str, Any]) -> list[str]:
    explicit = resource.get("DependsOn", [])
    return [
        *([explicit] if isinstance(explicit, str) else explicit),
        *intrinsics.references(resource.get("Properties", {})),
    ]


def parameter_values(
    declared: Mapping[str, Mapping[str, Any]], given: Mapping[str, Any], *, stack: str, ssm: Lookup
) -> dict[str, Any]:
    """Return each parameter's value: what was given, or its default; an SSM type is looked up by that name."""
    return {name: _parameter(name, kind, given, stack=stack, ssm=ssm) for name, kind in declared.items()}


def _parameter(name: str, declared: Mapping[str, Any], given: Mapping[str, Any], *, stack: str, ssm: Lookup) -> Any:
    value, kind = given.get(name, declared.get("Default")), declared.get("Type", "String")
    which = f"stack {stack!r}, parameter {name!r}"
    if value is None:
        raise TemplateError(f"{which} has no default; pass parameters={{{name!r}: ...}}")
    if "AllowedValues" in declared and str(value) not in list(map(str, declared["AllowedValues"])):
        raise TemplateError(f"{which}: {value!r} is not one of {declared['AllowedValues']}")
    if kind.startswith("AWS::SSM::Parameter::Value<"):
        found = ssm(str(value))
        if found is None:
            raise TemplateError(
                f"{which}: there is no SSM parameter {value!r}; put it there before deploying, or pass"
                f" parameters={{{name!r}: <the name of one that exists>}}"
            )
        value, kind = found, kind.removeprefix("AWS::SSM::Parameter::Value<").removesuffix(">")
    return _typed(value, kind)


def _typed(value: Any, kind: str) -> Any:
    if kind == "CommaDelimitedList" or kind.startswith("List<"):
        parts: Sequence[Any] = value.split(",") if isinstance(value, str) else value
        return [str(part).strip() for part in parts]
    return str(value)
