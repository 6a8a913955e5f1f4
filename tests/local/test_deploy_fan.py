"""A realistic stack of one task, deployed: seen through plain boto3, and as the facts that the engine reads."""

import json

import boto3


def named(facts, start):
    return next(fact for fact in facts if fact.logical_id.startswith(start))


def test_every_resource_of_a_realistic_stack_has_a_physical_id(fan):
    assert 37 == len(fan.resources)
    assert [] == [resource.logical_id for resource in fan.resources if not resource.physical_id]


def test_functions_are_seen_by_boto3_and_kept_with_all_their_settings(fan):
    worker, dispatcher = named(fan.functions, "Worker"), named(fan.functions, "Dispatcher")
    seen = boto3.client("lambda").get_function(FunctionName=worker.name)

    assert (60, 512, ["arm64"]) == tuple(
        seen["Configuration"][key] for key in ("Timeout", "MemorySize", "Architectures")
    )
    assert 10 == seen["Concurrency"]["ReservedConcurrentExecutions"] == worker.reserved_concurrency
    assert worker.environment == seen["Configuration"]["Environment"]["Variables"]
    assert ("main.handler", 60, 512) == (worker.handler, worker.timeout_s, worker.memory_mib)
    assert (worker.code / "main.py").exists()
    assert (1, 3600) == (dispatcher.max_retry_attempts, dispatcher.max_event_age_s)
    assert named(fan.queues, "Dead").arn == dispatcher.on_failure_arn == dispatcher.dead_letter_arn
    assert "def handler" in (dispatcher.code / "index.py").read_text()


def test_a_log_group_given_to_a_function_is_its_log_group(fan):
    [group] = boto3.client("logs").describe_log_groups()["logGroups"]

    assert named(fan.functions, "Worker").log_group == group["logGroupName"]
    assert 30 == group["retentionInDays"]
    assert named(fan.functions, "Dispatcher").log_group == f"/aws/lambda/{named(fan.functions, 'Dispatcher').name}"


def test_a_queue_has_its_dead_letter_queue_and_its_policy(fan):
    queue, dead = named(fan.queues, "Queue"), named(fan.queues, "Dead")
    seen = boto3.client("sqs").get_queue_attributes(QueueUrl=queue.url, AttributeNames=["All"])["Attributes"]

    assert (360, 5, dead.arn) == (queue.visibility_timeout_s, queue.max_receive_count, queue.dead_letter_arn)
    assert "360" == seen["VisibilityTimeout"]
    assert {"deadLetterTargetArn": dead.arn, "maxReceiveCount": 5} == json.loads(seen["RedrivePolicy"])
    assert json.loads(seen["Policy"]) == queue.policy
    assert 14 * 86400 == dead.retention_s


def test_a_mapping_has_its_batches_and_moto_does_not_pull_the_queue_itself(fan):
    [mapping] = fan.mappings
    [seen] = boto3.client("lambda").list_event_source_mappings()["EventSourceMappings"]
    boto3.client("sqs").send_message(QueueUrl=named(fan.queues, "Queue").url, MessageBody="kept")

    assert (10, 5, 10, True) == (
        mapping.batch_size,
        mapping.window_s,
        mapping.max_concurrency,
        mapping.report_batch_item_failures,
    )
    assert mapping.uuid == seen["UUID"]
    assert "kept" == boto3.client("sqs").receive_message(QueueUrl=named(fan.queues, "Queue").url)["Messages"][0]["Body"]


def test_rules_keep_transformer_retries_and_dead_letters(fan):
    nightly, done = named(fan.rules, "Nightly"), named(fan.rules, "OnDone")
    [target] = nightly.targets
    [seen] = boto3.client("events").list_targets_by_rule(Rule=nightly.name)["Targets"]

    assert "cron(0 0 * * ? *)" == nightly.expression
    assert ({"time": "$.time"}, '{"task":"sunrise","scheduled":<time>}') == (target.input_paths, target.input_template)
    assert (3, 3600) == (target.max_retry_attempts, target.max_event_age_s)
    assert named(fan.queues, "Dead").arn == target.dead_letter_arn == seen["DeadLetterConfig"]["Arn"]
    assert {"source": ["drumbeat"], "detail-type": ["run completed"]} == done.pattern
    assert f"arn:aws:events:us-east-1:123456789012:rule/{done.bus}/{done.name}" == done.arn


def test_a_schedule_keeps_its_zone_window_and_group(fan):
    [schedule] = fan.schedules
    seen = boto3.client("scheduler").get_schedule(Name=schedule.name, GroupName=schedule.group)

    assert ("cron(0 * * * ? *)", "Europe/Stockholm", 5) == (
        schedule.expression,
        schedule.timezone,
        schedule.window_minutes,
    )
    assert schedule.arn == seen["Arn"]
    assert schedule.target.role_arn in [role.arn for role in fan.roles]


def test_a_table_of_either_kind_has_its_keys_indexes_ttl_recovery_and_stream(fan):
    dynamodb, tables = (
        boto3.client("dynamodb"),
        {r.logical_id[:3]: r.physical_id for r in fan.resources if "Dyn" in r.type},
    )
    ledger = dynamodb.describe_table(TableName=tables["Led"])["Table"]

    assert ["pk", "sk"] == [key["AttributeName"] for key in ledger["KeySchema"]]
    assert ["byState"] == [index["IndexName"] for index in ledger["GlobalSecondaryIndexes"]]
    assert "NEW_IMAGE" == ledger["StreamSpecification"]["StreamViewType"]
    assert "PAY_PER_REQUEST" == ledger["BillingModeSummary"]["BillingMode"]
    for table in tables.values():
        ttl = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
        backups = dynamodb.describe_continuous_backups(TableName=table)["ContinuousBackupsDescription"]
        assert ("ENABLED", "ttl") == (ttl["TimeToLiveStatus"], ttl["AttributeName"])
        assert "ENABLED" == backups["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"]


def test_a_bucket_is_versioned_private_encrypted_and_forgets(fan):
    s3, bucket = boto3.client("s3"), named(fan.functions, "Worker").environment["BUCKET"]
    [rule] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]

    assert "Enabled" == s3.get_bucket_versioning(Bucket=bucket)["Status"]
    assert all(s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"].values())
    assert (7, 1) == (rule["Expiration"]["Days"], rule["NoncurrentVersionExpiration"]["NoncurrentDays"])
    assert fan.resource_policies[f"arn:aws:s3:::{bucket}"] == json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])


def test_a_role_has_its_inline_and_its_managed_policies(fan):
    role, iam = next(r for r in fan.roles if r.logical_id.startswith("Worker")), boto3.client("iam")
    attached = iam.list_attached_role_policies(RoleName=role.name)["AttachedPolicies"]
    actions = [action for document in role.policies for one in document["Statement"] for action in one["Action"]]

    assert ["AWSLambdaBasicExecutionRole"] == [policy["PolicyName"] for policy in attached]
    assert 1 == len(iam.list_role_policies(RoleName=role.name)["PolicyNames"])
    assert {"logs:PutLogEvents", "sqs:ReceiveMessage"} <= set(actions)


def test_what_only_watches_is_there_too(fan):
    cloudwatch = boto3.client("cloudwatch")

    [alarm] = cloudwatch.describe_alarms()["MetricAlarms"]
    [action] = alarm["AlarmActions"]
    assert action in [topic["TopicArn"] for topic in boto3.client("sns").list_topics()["Topics"]]
    assert 1 == len(cloudwatch.list_dashboards()["DashboardEntries"])
    assert 1 == len(boto3.client("logs").describe_metric_filters()["metricFilters"])
    assert (
        "live"
        == boto3.client("lambda").list_aliases(FunctionName=named(fan.functions, "Worker").name)["Aliases"][0]["Name"]
    )
