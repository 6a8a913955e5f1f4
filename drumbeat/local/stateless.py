"""Modules that are nothing but classes and functions: made once a process, and shared by all environments.

Making modules anew is most of what a cold start costs here.  Listed is only what doesn't change after its import and
keeps nothing that belongs to one environment: no logger, no client, no setting.  A package is shared only with all that
is below it: an import binds a module to its package.
"""

_POWERTOOLS = "aws_lambda_powertools"
_BRANCHES = (
    f"{_POWERTOOLS}.exceptions",
    f"{_POWERTOOLS}.logging.buffer",
    f"{_POWERTOOLS}.utilities.data_classes",
    f"{_POWERTOOLS}.utilities.jmespath_utils",
    f"{_POWERTOOLS}.warnings",
    "drumbeat.ledger",
)
_MODULES = frozenset(
    {
        f"{_POWERTOOLS}.logging.constants",
        f"{_POWERTOOLS}.logging.exceptions",
        f"{_POWERTOOLS}.logging.filters",
        f"{_POWERTOOLS}.logging.lambda_context",
        f"{_POWERTOOLS}.metrics.exceptions",
        f"{_POWERTOOLS}.metrics.provider.cloudwatch_emf.constants",
        f"{_POWERTOOLS}.metrics.provider.cloudwatch_emf.exceptions",
        f"{_POWERTOOLS}.metrics.provider.cloudwatch_emf.metric_properties",
        f"{_POWERTOOLS}.shared.constants",
        f"{_POWERTOOLS}.shared.lazy_import",
        f"{_POWERTOOLS}.shared.types",
        f"{_POWERTOOLS}.shared.version",
        "typing_extensions",
    }
    | {
        f"drumbeat.runtime.{name}"
        for name in (
            "announce",
            "attempt",
            "batch",
            "collector",
            "divide",
            "gate",
            "invoke",
            "lines",
            "load",
            "records",
            "referenced",
            "results",
            "send",
            "services",
            "session",
            "sources",
            "stretch",
            "tolerance",
            "work",
        )
    }
)


def is_stateless(fullname: str, *, is_package: bool) -> bool:
    """Whether a bundle's module may be shared: those above, and drumbeat's core, which has no clock and no client."""
    if fullname in _MODULES or any(f"{fullname}.".startswith(f"{branch}.") for branch in _BRANCHES):
        return True
    package, _, _ = fullname.rpartition(".")
    return package == "drumbeat" and not is_package
