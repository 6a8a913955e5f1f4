"""SNS topics, their policies and subscriptions."""

import json

from drumbeat.local.template import Created

from .context import Creator, Declared, flag, tags, text

_NAME_LIMIT = 256
_SUBSCRIPTION = (
    "DeliveryPolicy",
    "FilterPolicy",
    "FilterPolicyScope",
    "RawMessageDelivery",
    "RedrivePolicy",
    "SubscriptionRoleArn",
)


def create_topic(declared: Declared) -> Created:
    context, sns = declared.context, declared.context.client("sns")
    fifo = flag(declared.get("FifoTopic"))
    name = declared.name(declared.get("TopicName"), limit=_NAME_LIMIT, suffix=".fifo" if fifo else "")
    attributes = {
        key: text(value)
        for key, value in declared.pick("DisplayName", "KmsMasterKeyId", "ContentBasedDeduplication").items()
    }
    if fifo:
        attributes["FifoTopic"] = "true"
    arn = sns.create_topic(Name=name, Attributes=attributes, Tags=tags(declared))["TopicArn"]
    for subscription in declared.get("Subscription", []):
        sns.subscribe(TopicArn=arn, Protocol=subscription["Protocol"], Endpoint=subscription["Endpoint"])
    return Created(arn, {"TopicArn": arn, "TopicName": name, "Arn": context.arn("sns", name)})


def create_topic_policy(declared: Declared) -> Created:
    document = declared.properties["PolicyDocument"]
    for arn in declared.properties["Topics"]:
        declared.context.client("sns").set_topic_attributes(
            TopicArn=arn, AttributeName="Policy", AttributeValue=json.dumps(document)
        )
        declared.context.facts.resource_policies[arn] = document
    return Created(declared.name(None, limit=_NAME_LIMIT))


def create_subscription(declared: Declared) -> Created:
    attributes = {key: text(value) for key, value in declared.pick(*_SUBSCRIPTION).items()}
    arn = declared.context.client("sns").subscribe(
        TopicArn=declared.properties["TopicArn"],
        Protocol=declared.properties["Protocol"],
        Endpoint=declared.get("Endpoint", ""),
        Attributes=attributes,
        ReturnSubscriptionArn=True,
    )["SubscriptionArn"]
    return Created(arn, {"Arn": arn})


CREATORS: dict[str, Creator] = {
    "AWS::SNS::Subscription": create_subscription,
    "AWS::SNS::Topic": create_topic,
    "AWS::SNS::TopicPolicy": create_topic_policy,
}
