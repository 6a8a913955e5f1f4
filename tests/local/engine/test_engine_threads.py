"""Threads and event loops inside a handler keep virtual time and can't block the cloud."""

import pytest

POOL = """
    import time, boto3
    from concurrent.futures import ThreadPoolExecutor
    s3 = boto3.client("sqs")
    def one(n):
        time.sleep(1)
        s3.list_queues()
        return n
    def handler(event, context):
        began, clock = time.monotonic(), time.time()
        with ThreadPoolExecutor(max_workers=5) as pool:
            done = list(pool.map(one, range(20)))
        return {"done": done, "seconds": round(time.monotonic() - began, 1), "clock": round(time.time() - clock, 1)}
"""
LASTING_POOL = """
    import time
    from concurrent.futures import ThreadPoolExecutor
    pool = ThreadPoolExecutor(2)
    def handler(event, context):
        return [future.result() for future in [pool.submit(time.sleep, 1), pool.submit(lambda: event["n"])]][1]
"""
ASYNC = """
    import asyncio, time, boto3
    client = boto3.client("sqs")
    async def one(n):
        await asyncio.sleep(n)
        await asyncio.to_thread(client.list_queues)
        return n
    async def main():
        began = asyncio.get_running_loop().time()
        done = await asyncio.gather(*(one(n) for n in (3, 1, 2)))
        try:
            await asyncio.wait_for(asyncio.sleep(60), timeout=2)
        except TimeoutError:
            done.append("timeout")
        return done, round(asyncio.get_running_loop().time() - began, 1)
    def handler(event, context):
        return asyncio.run(main())
"""
QUEUES = """
    import queue, threading, time
    def handler(event, context):
        box, seen = queue.Queue(maxsize=1), []
        def consume():
            while (item := box.get()) is not None:
                time.sleep(0.5)
                seen.append(item)
        thread = threading.Thread(target=consume)
        thread.start()
        for n in range(4):
            box.put(n)
        box.put(None)
        thread.join()
        try:
            box.get(timeout=7)
        except queue.Empty:
            seen.append("empty")
        return seen
"""


def test_a_pool_of_five_does_twenty_one_second_calls_in_four_seconds(app, open_cloud):
    app.function("pool", POOL)
    cloud = open_cloud(app)

    outcome = cloud.invoke("pool", {})

    assert list(range(20)) == outcome.value()["done"]
    assert outcome.value()["seconds"] == outcome.value()["clock"]
    assert 4.0 <= outcome.value()["seconds"] < 4.3


def test_a_pool_made_at_import_serves_every_invocation_of_its_environment(app, open_cloud):
    app.function("lasting", LASTING_POOL)
    cloud = open_cloud(app)

    assert [1, 2, 3] == [cloud.invoke("lasting", {"n": n}).value() for n in (1, 2, 3)]


def test_asyncio_sleeps_and_thread_calls_take_virtual_time(app, open_cloud):
    app.function("asyncio_", ASYNC)
    cloud = open_cloud(app)

    done, seconds = cloud.invoke("asyncio_", {}).value()

    assert [3, 1, 2, "timeout"] == done
    assert 5.0 <= seconds < 5.1


def test_queues_and_joins_between_threads_work(app, open_cloud):
    app.function("queues", QUEUES)
    cloud = open_cloud(app)

    assert [0, 1, 2, 3, "empty"] == cloud.invoke("queues", {}).value()


@pytest.mark.parametrize("code", [POOL, ASYNC], ids=["pool", "asyncio"])
def test_threads_interleave_in_the_same_order_each_time(app, open_cloud, code):
    app.function("one", code)
    logs = []
    for _ in range(2):
        cloud = open_cloud(app, seed=5)
        cloud.invoke_async("one", {})
        cloud.invoke_async("one", {})
        cloud.run_until_idle()
        logs.append(cloud.log.text())
        cloud.__exit__(None, None, None)

    assert logs[0] == logs[1]
