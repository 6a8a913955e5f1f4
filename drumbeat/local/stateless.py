"""Modules that are nothing but classes and functions: made once a process, and shared by all environments.

Making modules anew is most of what a cold start costs here.  Listed is only what doesn't change after its import and
keeps nothing that belongs to one environment: no logger, no client, no setting.  A package is shared only with all that
is below it: an import binds a module to its package.
"""

_BRANCHES = (
    "aws_lambda_powertools.utilities.data_classes",
    "aws_lambda_powertools.utilities.jmespath_utils",
    "drumbeat.ledger",
)
_MODULES = frozenset(
    {
        "aws_lambda_powertools.metrics.provider.cloudwatch_emf.metric_properties",
        "typing_extensions",
    }
)


def is_stateless(fullname: str, *, is_package: bool) -> bool:
    """Whether a bundle's module may be shared: those above, and drumbeat's core, which has no clock and no client."""
    if fullname in _MODULES or any(f"{fullname}.".startswith(f"{branch}.") for branch in _BRANCHES):
        return True
    package, _, _ = fullname.rpartition(".")
    return package == "drumbeat" and not is_package
