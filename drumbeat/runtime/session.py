"""A session of botocore's that reads less before it can make a client: a cold start waits for it.

To make the first client, botocore looks into the folders of all its services, twice, and reads where each of them is
in each Region: a megabyte of JSON, more than all else together.  For the services below neither is needed: each has
rules that say where it is (`endpoint-rule-set-1`), and the partitions of AWS are listed in a small file of their own.
Where credentials come from stays botocore's: with SnapStart they are behind an address, and not in the environment.
"""

from typing import Any

from botocore.loaders import Loader
from botocore.session import get_session

SERVICES = ("dynamodb", "events", "lambda", "s3", "sqs")
_GLOBAL = {
    "credentialScope": {"region": "us-east-1"},
    "hostname": "s3.amazonaws.com",
    "signatureVersions": ["s3", "s3v4"],
}
_S3 = {
    "defaults": {"protocols": ["http", "https"], "signatureVersions": ["s3v4"]},
    "endpoints": {"aws-global": _GLOBAL},
    "partitionEndpoint": "aws-global",
}
"""The one of them that is signed in a way of its own, and that botocore asks for without a Region: in us-east-1."""


class _Loader(Loader):
    """Reads botocore's data for these services."""

    def list_available_services(self, type_name: str) -> list[str]:
        del type_name
        return list(SERVICES)

    def load_data_with_path(self, name: str) -> Any:
        if name != "endpoints":
            return super().load_data_with_path(name)
        partitions = self.load_data("partitions")["partitions"]
        return {"version": 3, "partitions": [_partition(found) for found in partitions]}, ""


def _partition(found: dict[str, Any]) -> dict[str, Any]:
    """A partition, in the words of the large file."""
    return {
        "partition": found["id"],
        "dnsSuffix": found["outputs"]["dnsSuffix"],
        "regionRegex": found["regionRegex"],
        "regions": {name: {} for name in found["regions"]},
        "defaults": {
            "hostname": "{service}.{region}.{dnsSuffix}",
            "protocols": ["https"],
            "signatureVersions": ["v4"],
            "variants": [],
        },
        "services": {"s3": _S3},
    }


def make_session() -> Any:
    """A session for clients of these services; of others, it knows nothing."""
    session = get_session()
    session.register_component("data_loader", _Loader())
    return session
