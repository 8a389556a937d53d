"""What a user of the public SDK waits for, in milliseconds: median, least and most.

    figures.py ROUNDS [TOGETHER]

Against an `up` whose host only pretends, all of it is overhead; against one with containers it is what users see.
"""

import asyncio
import statistics
import sys
import time

from daytona import AsyncDaytona, Daytona


def timed(waited, function, *arguments, **named):
    began = time.perf_counter()
    result = function(*arguments, **named)
    waited.append((time.perf_counter() - began) * 1000)
    return result


def show(what, waited):
    print(f"{what:<28} {statistics.median(waited):8.1f} {min(waited):8.1f} {max(waited):8.1f}", flush=True)


def alone(rounds):
    daytona = Daytona()
    waits = {what: [] for what in ("create", "exec", "stop", "start", "delete and wait")}
    for number in range(rounds + 1):
        waited = waits if number else {what: [] for what in waits}
        sandbox = timed(waited["create"], daytona.create)
        timed(waited["exec"], sandbox.process.exec, "true")
        timed(waited["stop"], sandbox.stop)
        timed(waited["start"], sandbox.start)
        timed(waited["delete and wait"], sandbox.delete, wait=True)
    for what, waited in waits.items():
        show(what, waited)


async def together(many):
    async with AsyncDaytona() as daytona:
        await (await daytona.create()).delete(wait=True)
        waited = []

        async def create():
            began = time.perf_counter()
            sandbox = await daytona.create()
            waited.append((time.perf_counter() - began) * 1000)
            return sandbox

        began = time.perf_counter()
        sandboxes = await asyncio.gather(*(create() for _ in range(many)))
        all_of_them = (time.perf_counter() - began) * 1000
        show(f"create, {many} at once", waited)
        show(f"all {many} of them", [all_of_them])
        await asyncio.gather(*(sandbox.delete(wait=True) for sandbox in sandboxes))


alone(int(sys.argv[1]))
asyncio.run(together(int(sys.argv[2]) if len(sys.argv) > 2 else 100))
