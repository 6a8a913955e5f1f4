"""What all environments of a process share has nothing of any one of them: what `stateless` lists is what it says."""

from types import ModuleType
from typing import Any

from drumbeat.local.loading import OnceLoader
from drumbeat.testing.cloud import AppCloud


def modules(cloud: AppCloud) -> tuple[dict[str, ModuleType], set[str]]:
    """The shared modules that the environments have, and the names of those of their own."""
    shared, own = {}, set()
    for pool in cloud._world.functions.pools.values():
        for environment in pool.idle:
            for name, module in environment.namespace.modules.items():
                if isinstance(module.__loader__, OnceLoader):
                    shared[name] = module
                else:
                    own.add(name)
    return shared, own


def values(module: ModuleType) -> dict[str, Any]:
    """A module's values, and copies of what could be changed in place: its own, and its classes'."""
    found = {name: value for name, value in vars(module).items() if not isinstance(value, ModuleType)}
    for name, value in list(found.items()):
        if isinstance(value, type) and value.__module__ == module.__name__:
            found |= {f"{name}.{key}": _kept(inner) for key, inner in vars(value).items()}
    return {name: _kept(value) for name, value in found.items()}


def _kept(value: Any) -> Any:
    return value.copy() if isinstance(value, dict | list | set) else value


def test_shared_modules_refer_to_none_of_an_environments_own_and_dont_change(cloud: AppCloud) -> None:
    cloud.run("plain", range(10))
    before = {name: values(module) for name, module in modules(cloud)[0].items()}
    cloud.run("plain", [{"raise": "no"}, {"throttled_until": "a"}, {"return": "set"}, *range(500)])
    cloud.advance(hours=2)
    cloud.run("spools", range(50))
    shared, own = modules(cloud)

    assert {"drumbeat.runtime.services", "drumbeat.task", "aws_lambda_powertools.shared.constants"} <= shared.keys()
    for name, module in shared.items():
        for value in vars(module).values():
            origin = value.__name__ if isinstance(value, ModuleType) else getattr(value, "__module__", None)
            assert origin not in own, (name, value)
    assert before == {name: values(module) for name, module in shared.items() if name in before}
