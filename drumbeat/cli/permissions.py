"""What each role needed in the run, for people and as JSON."""

import json
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from .plain import plain
from .simulation import Result

if TYPE_CHECKING:
    from drumbeat.local.iam import RoleReport


def document(result: Result) -> list[dict[str, Any]]:
    """One object per role, in plain values."""
    return [
        {
            "role": role.logical_id,
            "of": _names(role, result),
            "used": [{"action": one.action, "resource": one.resource, "calls": one.calls} for one in role.used],
            "used_by_services": [
                {"action": need.action, "resource": need.resource, "why": need.why} for need in role.by_services
            ],
            "unused": [{"action": one.action, "resources": list(one.resources)} for one in role.unused],
            "smallest_policy": role.smallest_policy,
        }
        for role in result.permissions
    ]


def show(result: Result, console: Console) -> None:
    """Print what was granted and never used, then the policy that would do, role by role."""
    for role in result.permissions:
        console.rule(f"[bold]{plain(', '.join(_names(role, result)))}[/]", align="left", style="dim")
        console.print(Padding(f"[dim]role {plain(role.logical_id)}[/]", (0, 0, 1, 2), expand=False))
        console.print(Padding(_grants(role), (0, 0, 1, 2), expand=False))
        console.print("  [bold]the smallest policy that would do[/], a statement a line")
        for statement in role.smallest_policy["Statement"]:
            console.print(f"  {plain(json.dumps(statement))}", soft_wrap=True)
        console.print()
    console.print(
        "[dim]never used: not in this run. A path that it didn't take, such as a failure or a large item, may need it;"
        " run those before you remove a grant.[/]\n"
    )


def _grants(role: "RoleReport") -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 3, 0, 0))
    table.add_column("grant", no_wrap=True)
    table.add_column("on")
    table.add_column("use")
    for unused in role.unused:
        table.add_row(f"[yellow]{unused.action}[/]", _short(unused.resources), "[yellow]never used[/]")
    for used in role.used:
        table.add_row(used.action, _short((used.resource,)), f"{used.calls:,} {'call' if used.calls == 1 else 'calls'}")
    together: dict[tuple[str, str], list[str]] = {}
    for need in role.by_services:
        together.setdefault((need.resource, need.why), []).append(need.action)
    for (resource, why), actions in together.items():
        table.add_row("\n".join(actions), _short((resource,)), f"[dim]{plain(why)}[/]")
    return table


def _short(resources: tuple[str, ...]) -> str:
    """The part of an ARN that tells resources of one account apart."""
    return plain(", ".join(arn.split(":", 5)[5] if arn.count(":") >= 5 else arn for arn in resources))  # noqa: PLR2004


def _names(role: "RoleReport", result: Result) -> list[str]:
    """The task's name and the kind of function where the user of a role is one of ours; else its logical id."""
    names = []
    for user in role.users:
        task, kind = result.functions.get(user, ("", ""))
        names.append(f"{task} {kind}".strip() + f" ({user})" if task or kind == "keeper" else user)
    return names
