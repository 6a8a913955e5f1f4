"""What the functions run on: a version of Python and a processor."""

import sys
from dataclasses import dataclass

from aws_cdk import aws_lambda as lambda_

from .errors import UnsupportedTarget

PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_WITHOUT_SNAPSHOTS = ("3.11",)  # https://docs.aws.amazon.com/lambda/latest/dg/snapstart.html
_MACHINES = {"arm64": "aarch64", "x86_64": "x86_64"}
_GLIBCS = {"3.11": 26}  # Amazon Linux 2; later ones run on Amazon Linux 2023
_GLIBC_OF_2023 = 34
_OLDEST_GLIBC = 17


def _this_python() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class Target:
    """By default the Python that synthesizes, on arm64, which costs a fifth less a second than x86_64.

    https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtimes.html
    """

    python: str = ""
    architecture: str = "arm64"

    def __post_init__(self) -> None:
        object.__setattr__(self, "python", self.python or _this_python())
        if self.python not in PYTHONS:
            raise UnsupportedTarget(
                f"Python {self.python}: drumbeat runs on {', '.join(PYTHONS)} in Lambda; synthesize with one of these, "
                'or name one: Target(python="3.13")'
            )
        if self.architecture not in _MACHINES:
            raise UnsupportedTarget(f"architecture {self.architecture!r}: {' or '.join(_MACHINES)} is allowed")

    @property
    def is_this_python(self) -> bool:
        return self.python == _this_python()

    @property
    def has_snapshots(self) -> bool:
        """Whether SnapStart is to be had, on either processor."""
        return self.python not in _WITHOUT_SNAPSHOTS

    @property
    def runtime(self) -> lambda_.Runtime:
        return lambda_.Runtime(
            f"python{self.python}",
            lambda_.RuntimeFamily.PYTHON,
            supports_inline_code=True,
            supports_snap_start=self.has_snapshots,
        )

    @property
    def lambda_architecture(self) -> lambda_.Architecture:
        return lambda_.Architecture.ARM_64 if self.architecture == "arm64" else lambda_.Architecture.X86_64

    @property
    def platforms(self) -> tuple[str, ...]:
        """The platform tags of the wheels that run there, in pip's words, the newest first."""
        machine = _MACHINES[self.architecture]
        newest = _GLIBCS.get(self.python, _GLIBC_OF_2023)
        by_glibc = (f"manylinux_2_{minor}_{machine}" for minor in range(newest, _OLDEST_GLIBC - 1, -1))
        return (*by_glibc, f"manylinux2014_{machine}")
