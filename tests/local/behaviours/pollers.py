"""How many batches a mapping works on at once."""

from .lab import LAMBDA, Lab, row

SCALING = LAMBDA + "services-sqs-scaling.html"


def slow(seconds):
    return lambda function, event, rng: seconds  # noqa: ARG005


@row("A standard queue starts with five concurrent batches", SCALING)
def starts_with_five(lab: Lab):
    lab.worker(BatchSize=1)
    cloud = lab.open(durations=slow(20.0))
    lab.send("Work", *"0123456789")
    cloud.advance(seconds=0.9)

    assert 5 == lab.peak("worker")


@row("While messages wait, a standard queue gets up to 300 concurrent batches more a minute", SCALING)
def ramps(lab: Lab):
    lab.worker(BatchSize=1, function={"timeout": 60})
    cloud = lab.open(durations=slow(59.0), own_environments=False)
    lab.send("Work", *map(str, range(400)))
    cloud.advance(seconds=30)

    assert 145 <= lab.peak("worker") <= 155


@row("A trickle that the pollers keep up with doesn't raise their number for a later burst", SCALING)
def a_trickle_doesnt_ramp(lab: Lab):
    lab.worker(BatchSize=1, queue={"VisibilityTimeout": 300}, function={"timeout": 60})
    cloud = lab.open(durations=slow(20.0), own_environments=False)
    lab.send("Work", *"0123456789")
    for _ in range(60):
        cloud.advance(seconds=10)
        lab.send("Work", "x")
    cloud.advance(seconds=25)
    before = len(cloud.samples["worker"])
    lab.send("Work", *map(str, range(100)))
    cloud.advance(seconds=0.9)

    assert 5 == max(active for _, active in cloud.samples["worker"][before:])


@row("When traffic is low, the pollers scale back to five concurrent batches", SCALING)
def scales_back(lab: Lab):
    lab.worker(BatchSize=1, queue={"VisibilityTimeout": 300})
    cloud = lab.open(durations=slow(10.0), own_environments=False)
    lab.send("Work", *map(str, range(150)))
    cloud.run_until_idle()
    ramped = lab.peak("worker")
    cloud.advance(minutes=5)
    before = len(cloud.samples["worker"])
    lab.send("Work", *map(str, range(100)))
    cloud.advance(seconds=0.9)

    assert ramped > 30
    assert 5 == max(active for _, active in cloud.samples["worker"][before:])


@row("A mapping never works on more than 1,250 batches at once", SCALING)
def at_most_1250(lab: Lab):
    lab.worker(BatchSize=1, queue={"VisibilityTimeout": 900}, function={"timeout": 900})
    cloud = lab.open(durations=slow(800.0), own_environments=False, account_concurrency=3_000)
    lab.send("Work", *map(str, range(1_400)))
    cloud.advance(minutes=6)

    assert 1_250 == lab.peak("worker")


@row("MaximumConcurrency bounds the batches of a mapping, without throttles", SCALING)
def maximum_concurrency(lab: Lab):
    lab.worker(BatchSize=1, ScalingConfig={"MaximumConcurrency": 2})
    cloud = lab.open(durations=slow(1.0))
    lab.send("Work", *map(str, range(9)))
    cloud.run_until_idle()

    assert 2 == lab.peak("worker")
    assert 0 == cloud.meter.throttles["worker"]


@row("A provisioned poller takes ten concurrent invocations, at once", SCALING)
def provisioned(lab: Lab):
    lab.worker(BatchSize=1, ProvisionedPollerConfig={"MinimumPollers": 4, "MaximumPollers": 5})
    cloud = lab.open(durations=slow(25.0), own_environments=False)
    lab.send("Work", *map(str, range(80)))
    cloud.advance(seconds=0.9)
    at_once = lab.peak("worker")
    cloud.advance(seconds=20)

    assert (40, 50) == (at_once, lab.peak("worker"))


@row("Provisioned pollers scale up by 1,000 concurrent invocations a minute", SCALING)
def provisioned_ramp(lab: Lab):
    lab.worker(BatchSize=1, ProvisionedPollerConfig={"MinimumPollers": 2, "MaximumPollers": 100})
    cloud = lab.open(durations=slow(29.0), own_environments=False)
    lab.send("Work", *map(str, range(400)))
    cloud.advance(seconds=12)

    assert 190 <= lab.peak("worker") <= 225


@row("A FIFO queue has as many concurrent batches as message groups, from the start", SCALING)
def fifo_groups(lab: Lab):
    lab.worker(queue={"FifoQueue": True, "ContentBasedDeduplication": True}, BatchSize=1)
    cloud = lab.open(durations=slow(20.0))
    for group in range(8):
        lab.send("Work", f"a{group}", f"b{group}", MessageGroupId=str(group))
    cloud.advance(seconds=2)

    assert 8 == lab.peak("worker")


@row("An idle mapping invokes nothing", LAMBDA + "with-sqs.html")
def idle(lab: Lab):
    lab.worker()
    cloud = lab.open()
    cloud.advance(days=1)

    assert 0 == cloud.invocations["worker"]
