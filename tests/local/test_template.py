"""Intrinsic functions, conditions, parameters and the order of creation."""

from typing import Any

import pytest

from drumbeat.local.errors import TemplateError
from drumbeat.local.template import Created, Template, in_order, parameter_values

PSEUDO = {"AWS::Region": "eu-north-1", "AWS::AccountId": "123456789012", "AWS::URLSuffix": "amazonaws.com"}


def scope(body=None, **created: Any):
    made = {name: Created(*values) for name, values in created.items()}
    body = {"Resources": {name: {"Type": "T"} for name in made}, **(body or {})}
    return Template(
        "S", body, PSEUDO, {"Stage": "dev", "Zones": ["a", "b"]}, {"shared": "v"}, made, {"Other": {"Out": "o"}}
    )


QUEUE = {"Queue": ("url", {"Arn": "arn:q"})}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"Ref": "Queue"}, "url"),
        ({"Ref": "Stage"}, "dev"),
        ({"Ref": "AWS::Region"}, "eu-north-1"),
        ({"Fn::GetAtt": ["Queue", "Arn"]}, "arn:q"),
        ({"Fn::GetAtt": "Queue.Arn"}, "arn:q"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Stage"}, 3, True]]}, "a-dev-3-true"),
        ({"Fn::Join": ["-", {"Ref": "Zones"}]}, "a-b"),
        ({"Fn::Sub": "x-${Stage}-${Queue.Arn}-${!Literal}-${AWS::Region}"}, "x-dev-arn:q-${Literal}-eu-north-1"),
        ({"Fn::Sub": ["${own}/${Stage}", {"own": {"Ref": "Queue"}}]}, "url/dev"),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", "a/b/c"]}]}, "b"),
        ({"Fn::Select": [0, {"Fn::GetAZs": ""}]}, "eu-north-1a"),
        ({"Fn::Base64": "hi"}, "aGk="),
        ({"Fn::Length": {"Ref": "Zones"}}, 2),
        ({"Fn::ToJsonString": {"a": {"Ref": "Stage"}}}, '{"a":"dev"}'),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::ImportValue": {"Fn::Sub": "shared"}}, "v"),
        ({"Fn::GetStackOutput": {"StackName": {"Fn::Sub": "Other"}, "OutputName": "Out", "Region": "eu-west-1"}}, "o"),
        ({"Fn::FindInMap": ["Sizes", {"Ref": "AWS::Region"}, "n"]}, 5),
        ({"Fn::FindInMap": ["Sizes", "nowhere", "n", {"DefaultValue": 1}]}, 1),
        ({"Fn::If": ["IsProd", "big", "small"]}, "small"),
        ({"kept": 1, "gone": {"Fn::If": ["IsProd", 2, {"Ref": "AWS::NoValue"}]}}, {"kept": 1}),
        ([1, {"Ref": "AWS::NoValue"}], [1]),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_a_function_resolves(given, expected):
    body = {
        "Mappings": {"Sizes": {"eu-north-1": {"n": 5}}},
        "Conditions": {"IsProd": {"Fn::Equals": [{"Ref": "Stage"}, "prod"]}},
    }

    assert expected == scope(body, **QUEUE).resolve(given)


def test_conditions_combine_and_refer_to_each_other():
    conditions = {
        "Dev": {"Fn::Equals": [{"Ref": "Stage"}, "dev"]},
        "Not": {"Fn::Not": [{"Condition": "Dev"}]},
        "Any": {"Fn::Or": [{"Condition": "Not"}, {"Condition": "Dev"}]},
        "All": {"Fn::And": [{"Condition": "Not"}, {"Condition": "Dev"}]},
    }
    template = scope({"Conditions": conditions})

    assert {"Dev": True, "Not": False, "Any": True, "All": False} == {
        name: template.condition(name) for name in conditions
    }


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"Ref": "Nobody"}, "'Nobody', but no parameter or resource"),
        ({"Fn::GetAtt": ["Queue", "Color"]}, "no attribute 'Color' in the local cloud; it has Arn"),
        ({"Fn::ImportValue": "else"}, "imports 'else'"),
        ({"Fn::GetStackOutput": {"StackName": "Other", "OutputName": "No"}}, "'No' of stack 'Other'.*far: Other.Out"),
        ({"Fn::Transform": {}}, "no function Fn::Transform"),
        ({"Fn::Select": [3, ["a"]]}, "no index 3"),
        ({"Fn::If": ["Loop", 1, 2]}, "condition 'Loop' refers to itself"),
    ],
)
def test_what_cannot_be_resolved_is_an_error_and_never_dropped(given, reason):
    with pytest.raises(TemplateError, match=reason):
        scope({"Conditions": {"Loop": {"Fn::Not": [{"Condition": "Loop"}]}}}, **QUEUE).resolve(given)


def test_a_resource_whose_condition_is_false_is_neither_created_nor_referred_to():
    body = {
        "Conditions": {"Never": {"Fn::Equals": ["a", "b"]}},
        "Resources": {"Off": {"Type": "T", "Condition": "Never"}, "On": {"Type": "T"}},
    }
    template = scope(body)

    assert ["On"] == list(template.active())
    with pytest.raises(TemplateError, match="'Off', but its condition is false"):
        template.resolve({"Ref": "Off"})


def test_resources_are_created_after_what_they_refer_to_or_depend_on():
    resources = {
        "Function": {"Properties": {"Role": {"Fn::GetAtt": ["Role", "Arn"]}}, "DependsOn": ["Policy"]},
        "Policy": {"Properties": {"Text": {"Fn::Sub": ["${Role} ${own} ${Queue.Arn}", {"own": 1}]}}},
        "Queue": {},
        "Role": {},
    }

    assert ["Role", "Queue", "Policy", "Function"] == in_order(resources, stack="S")


def test_a_circle_is_named():
    resources = {"A": {"DependsOn": "B"}, "B": {"Properties": {"x": {"Ref": "C"}}}, "C": {"DependsOn": "A"}}

    with pytest.raises(TemplateError, match="A -> B -> C -> A"):
        in_order(resources, stack="S")


def test_parameters_take_what_is_given_then_the_default_then_what_ssm_has():
    declared = {
        "Given": {"Type": "String", "Default": "x"},
        "Default": {"Type": "Number", "Default": 5},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Stored": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "/a"},
    }

    values = parameter_values(declared, {"Given": "y"}, stack="S", ssm={"/a": "1,2"}.get)

    assert {"Given": "y", "Default": "5", "List": ["a", "b"], "Stored": ["1", "2"]} == values


@pytest.mark.parametrize(
    ("declared", "reason"),
    [
        ({"Type": "String"}, "pass parameters={'P': ...}"),
        ({"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/no"}, "there is no SSM parameter '/no'"),
        ({"Type": "String", "Default": "c", "AllowedValues": ["a", "b"]}, "'c' is not one of"),
    ],
)
def test_a_parameter_without_a_usable_value_says_what_to_pass(declared, reason):
    with pytest.raises(TemplateError, match=reason):
        parameter_values({"P": declared}, {}, stack="S", ssm={}.get)
