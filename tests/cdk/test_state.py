def test_the_ledger_is_kept_restorable_and_pays_for_use(template):
    key, table = next(pair for pair in template.of("AWS::DynamoDB::Table").items() if pair[0].startswith("Ledger"))

    assert ["Retain"] * 2 == [template.resources[key][policy] for policy in ("DeletionPolicy", "UpdateReplacePolicy")]
    assert ["pk", "sk"] == [part["AttributeName"] for part in table["KeySchema"]]
    assert {"AttributeName": "expires_at", "Enabled": True} == table["TimeToLiveSpecification"]
    assert {"PointInTimeRecoveryEnabled": True} == table["PointInTimeRecoverySpecification"]
    assert {"SSEEnabled": True} == table["SSESpecification"]
    assert "PAY_PER_REQUEST" == table["BillingMode"]


def test_idempotency_records_have_powertools_own_keys(template):
    records = next(made for key, made in template.of("AWS::DynamoDB::Table").items() if not key.startswith("Ledger"))

    assert ["id"] == [part["AttributeName"] for part in records["KeySchema"]]
    assert {"AttributeName": "expiration", "Enabled": True} == records["TimeToLiveSpecification"]


def test_the_bucket_is_kept_encrypted_and_closed(template):
    key, bucket = template.only("AWS::S3::Bucket")

    assert "Retain" == template.resources[key]["DeletionPolicy"]
    assert "BucketEncryption" in bucket
    assert all(bucket["PublicAccessBlockConfiguration"].values())
    assert 4 == len(bucket["PublicAccessBlockConfiguration"])


def test_the_bucket_refuses_what_comes_without_tls(template):
    _, policy = template.only("AWS::S3::BucketPolicy")
    (statement,) = policy["PolicyDocument"]["Statement"]

    assert ("Deny", {"Bool": {"aws:SecureTransport": "false"}}) == (statement["Effect"], statement["Condition"])


def test_working_files_outlive_every_message_and_results_stay(template):
    _, bucket = template.only("AWS::S3::Bucket")
    expiring = {
        rule.get("Prefix"): rule["ExpirationInDays"]
        for rule in bucket["LifecycleConfiguration"]["Rules"]
        if "ExpirationInDays" in rule
    }

    assert ["runs/"] == list(expiring)
    assert expiring["runs/"] > 14


def test_nothing_needs_a_custom_resource(template):
    kinds = {made["Type"] for made in template.resources.values()}

    assert not [kind for kind in kinds if kind.startswith(("Custom::", "AWS::CloudFormation::"))]


def test_a_failed_run_a_missed_fire_and_a_dead_one_ring(template):
    alarms = template.of("AWS::CloudWatch::Alarm").values()
    ours = {
        (alarm["MetricName"], alarm["Dimensions"][0]["Value"]) for alarm in alarms if alarm["Namespace"] == "drumbeat"
    }
    dead = [alarm for alarm in alarms if alarm["Namespace"] == "AWS/SQS"]

    assert {("RunsFailed", "nightly"), ("FiresMissed", "nightly"), ("RunsFailed", "manual")} <= ours
    assert ("FiresMissed", "manual") not in ours
    assert all(alarm["TreatMissingData"] == "notBreaching" and alarm["Threshold"] == 0 for alarm in alarms)
    assert len(template.of("AWS::Lambda::EventInvokeConfig")) == len(dead)


def test_one_dashboard_shows_every_task(template):
    _, dashboard = template.only("AWS::CloudWatch::Dashboard")
    shown = template.said(dashboard["DashboardBody"])

    assert all(f'"service","{task}"' in shown for task in ("nightly", "manual"))
