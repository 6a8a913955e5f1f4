import sys

from tests.cdk.sample import TASKS


def test_every_task_has_a_dispatcher_and_a_worker_and_the_app_a_keeper(template):
    lanes = {(task, kind) for task in TASKS for kind in ("dispatcher", "worker")}

    assert {*lanes, ("keeper", "keeper")} == template.functions.keys()


def test_every_function_has_a_role_of_its_own_without_policies_of_aws(template):
    roles = [function["Role"]["Fn::GetAtt"][0] for function in template.of("AWS::Lambda::Function").values()]

    assert len(set(roles)) == len(roles)
    assert not any("ManagedPolicyArns" in role for role in template.of("AWS::IAM::Role").values())


def test_every_function_has_a_log_group_of_its_own_that_forgets(template):
    groups = [
        function["LoggingConfig"]["LogGroup"]["Ref"] for function in template.of("AWS::Lambda::Function").values()
    ]

    assert len(set(groups)) == len(groups)
    assert all(template.resources[group]["Properties"]["RetentionInDays"] == 30 for group in groups)


def test_every_function_writes_its_own_log_only(template):
    for (task, kind), key in template.functions.items():
        group = template.resources[key]["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        written = {resource for action, resource in template.may(task, kind) if action.startswith("logs:")}

        assert {f"<{group}.Arn>"} == written


def test_functions_run_on_the_python_that_synthesizes_and_on_arm(template):
    for function in template.of("AWS::Lambda::Function").values():
        assert f"python3.{sys.version_info.minor}" == function["Runtime"]
        assert ["arm64"] == function["Architectures"]


def test_functions_may_call_each_other_in_long_chains(template):
    assert all(function["RecursiveLoop"] == "Allow" for function in template.of("AWS::Lambda::Function").values())


def test_functions_get_their_size_from_the_task(template):
    for task in TASKS.values():
        worker, dispatcher = (template.function(task.name, kind) for kind in ("worker", "dispatcher"))

        assert (task.memory_mib, task.timeout_s) == (worker["MemorySize"], worker["Timeout"])
        assert (task.dispatcher_memory_mib, task.dispatcher_timeout_s) == (
            dispatcher["MemorySize"],
            dispatcher["Timeout"],
        )


def test_functions_learn_from_their_environment_what_they_serve(template):
    table, _ = next(pair for pair in template.of("AWS::DynamoDB::Table").items() if pair[0].startswith("Ledger"))
    bucket, _ = template.only("AWS::S3::Bucket")
    queue, _ = template.queues_of("often")
    told = template.said(template.function("often", "worker")["Environment"]["Variables"])

    assert {
        "GREETING": "hello",
        "DRUMBEAT_MODULE": "handlers.often",
        "DRUMBEAT_TASK": "often",
        "DRUMBEAT_TABLE": f"<{table}>",
        "DRUMBEAT_BUCKET": f"<{bucket}>",
        "DRUMBEAT_QUEUE_URL": f"<{queue}>",
        "DRUMBEAT_BACKFILL_URL": f"<{template.backfill_of('often')}>",
        "DRUMBEAT_DISPATCHER": f"<{template.functions['often', 'dispatcher']}>",
        "DRUMBEAT_IDEMPOTENCY_TABLE": told["DRUMBEAT_IDEMPOTENCY_TABLE"],
        "POWERTOOLS_SERVICE_NAME": "often",
        "POWERTOOLS_METRICS_NAMESPACE": "drumbeat",
        "POWERTOOLS_LOG_LEVEL": "INFO",
    } == told


def test_the_keeper_knows_the_tasks_and_where_they_are(template):
    told = template.function("keeper", "keeper")["Environment"]["Variables"]

    assert set(TASKS) == set(told["DRUMBEAT_TASKS"].split(","))
    assert "handlers" == told["DRUMBEAT_HANDLERS"]
    assert "keeper" == told["POWERTOOLS_SERVICE_NAME"]


def test_an_asynchronous_invoke_that_fails_is_kept(template):
    configured = {
        config["FunctionName"]["Ref"]: config for config in template.of("AWS::Lambda::EventInvokeConfig").values()
    }
    invoked = {key for (_, kind), key in template.functions.items() if kind != "worker"}

    assert invoked == configured.keys()
    for config in configured.values():
        assert (2, 21_600) == (config["MaximumRetryAttempts"], config["MaximumEventAgeInSeconds"])
        assert template.resources[config["DestinationConfig"]["OnFailure"]["Destination"]["Fn::GetAtt"][0]]


def test_only_a_task_that_asks_for_it_is_traced(template):
    traced = {
        key for key, function in template.of("AWS::Lambda::Function").items() if function.get("TracingConfig", {})
    }

    assert {template.functions["often", "worker"], template.functions["often", "dispatcher"]} == traced
