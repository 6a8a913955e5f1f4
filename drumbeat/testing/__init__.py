"""Test what an app does when deployed: a pytest plugin around the local cloud.

def test_poison_item_alone_becomes_a_dead_letter(cloud):
    run = cloud.run("invoices", items=["ann", "poison", "bob"])

    assert ["ann", "bob"] == run.succeeded
    assert ["poison"] == [letter.item for letter in run.dead_letters]
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .cloud import AppCloud, Letter, RunView
    from .invariants import check_invariants
    from .single import KINDS, Fault, Point
    from .sweeping import Sweep, sweep

__all__ = ["KINDS", "AppCloud", "Fault", "Letter", "Point", "RunView", "Sweep", "check_invariants", "sweep"]

_HOMES = {
    **dict.fromkeys(("AppCloud", "Letter", "RunView"), "cloud"),
    "check_invariants": "invariants",
    **dict.fromkeys(("KINDS", "Fault", "Point"), "single"),
    **dict.fromkeys(("Sweep", "sweep"), "sweeping"),
}


def __getattr__(name: str) -> Any:
    """Import at first use: pytest loads the plugin in every project, and moto takes a second."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
