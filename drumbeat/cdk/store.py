"""The app's bucket: inputs, results, and the working files of runs."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from .function import Function
from .guard import acknowledge

WORKING_FILES_KEPT = Duration.days(90)
"""As long as the ledger keeps the runs and dead letters that point to them."""


class Store(Construct):
    """`results/<task>/` is what runs publish, and stays; `runs/<task>/` is what they need on the way, and expires."""

    def __init__(self, scope: Construct, id: str, *, encryption_key: kms.IKey | None = None) -> None:  # noqa: A002
        super().__init__(scope, id)
        self.bucket = s3.Bucket(
            self,
            "Bucket",
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            encryption=s3.BucketEncryption.S3_MANAGED if encryption_key is None else s3.BucketEncryption.KMS,
            encryption_key=encryption_key,
            bucket_key_enabled=None if encryption_key is None else True,  # not a request to KMS for each object
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN,
            lifecycle_rules=[
                s3.LifecycleRule(prefix="runs/", expiration=WORKING_FILES_KEPT),
                s3.LifecycleRule(abort_incomplete_multipart_upload_after=Duration.days(7)),
            ],
        )

        acknowledge(
            self.bucket, "bucket-versions", "each object is written under a name of its own, and only by drumbeat again"
        )

    def grant_publish(self, function: Function, task: str) -> None:
        """Read and write a task's results and working files."""
        for prefix in ("results", "runs"):
            function.allow("s3:GetObject", "s3:PutObject", on=self.bucket.arn_for_objects(f"{prefix}/{task}/*"))

    def grant_read(self, function: Function, task: str) -> None:
        """Read what the runs of another task have left."""
        for prefix in ("results", "runs"):
            function.allow("s3:GetObject", on=self.bucket.arn_for_objects(f"{prefix}/{task}/*"))

    def grant_working_files(self, function: Function) -> None:
        """Read and write every task's working files."""
        function.allow("s3:GetObject", "s3:PutObject", on=self.bucket.arn_for_objects("runs/*"))
