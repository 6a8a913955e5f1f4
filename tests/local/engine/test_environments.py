"""What environments of one process share, and what they don't."""

import dataclasses

CODE = """
    import sys
    from dataclasses import dataclass
    import aws_lambda_powertools
    from aws_lambda_powertools.utilities.data_classes import SQSEvent

    @dataclass
    class Point:
        x: int
        y: int = 2

    calls = []
    def handler(event, context):
        calls.append(1)
        modules = (aws_lambda_powertools, sys.modules["aws_lambda_powertools.utilities.data_classes"])
        return [len(calls), Point(1) == Point(1, 2), *(id(module) for module in modules), id(SQSEvent), id(Point)]
"""


def test_a_cold_environment_has_everything_of_its_own_but_classes_without_state(app, open_cloud):
    app.function("one", CODE)
    cloud = open_cloud(app)
    first = cloud.invoke("one", {}).value()
    warm = cloud.invoke("one", {}).value()
    cloud.advance(hours=1)
    cold = cloud.invoke("one", {}).value()

    assert [2, *first[1:]] == warm
    assert [1, True] == cold[:2]
    assert [False, True, True, False] == [a == b for a, b in zip(first[2:], cold[2:], strict=True)]


def test_a_closed_cloud_leaves_dataclasses_as_they_were(app, open_cloud):
    cloud = open_cloud(app)
    assert "exec" in vars(dataclasses)
    cloud.__exit__(None, None, None)

    assert "exec" not in vars(dataclasses)
