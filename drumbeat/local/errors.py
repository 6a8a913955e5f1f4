"""What the local cloud refuses, and what to do about it. The docstring is the default message."""

from drumbeat.errors import DrumbeatError


class LocalError(DrumbeatError):
    """The local cloud cannot do this."""


class AssemblyError(LocalError):
    """The cloud assembly cannot be read; run `cdk synth` again."""


class AssetMissing(AssemblyError):
    """An asset of the cloud assembly is not on disk; run `cdk synth` again."""


class TemplateError(LocalError):
    """The template refers to something that it doesn't have, or uses a function wrongly."""


class UnsupportedResource(LocalError):
    """The local cloud knows no such resource type; deploy with strict=False to go on with a placeholder."""


class ResourceRejected(LocalError):
    """A real deployment would refuse this resource."""


class UnsupportedResourceWarning(UserWarning):
    """Something is left out: a layer from elsewhere; or, with strict=False, an unknown type or a refused setting."""
