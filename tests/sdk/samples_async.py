"""The code samples of the public document with the asynchronous Python SDK, many at a time."""

import asyncio
import uuid

from daytona import (
    AsyncDaytona,
    CreateSandboxFromSnapshotParams,
    DaytonaConflictError,
    DaytonaNotFoundError,
    ListSandboxesQuery,
)

MANY = 20


async def absent(daytona, sandbox):
    try:
        return (await daytona.get(sandbox.id)).state in ("destroyed", "destroying")
    except DaytonaNotFoundError:
        return True


async def a_life(daytona):
    sandbox = await daytona.create()
    assert sandbox.state == "started", sandbox.state
    await sandbox.stop()
    assert sandbox.state == "stopped", sandbox.state
    await sandbox.start()
    assert sandbox.state == "started", sandbox.state
    await sandbox.stop(force=True)
    await sandbox.delete(wait=True)
    assert await absent(daytona, sandbox)


async def many_at_once(daytona):
    tag = str(uuid.uuid4())
    params = CreateSandboxFromSnapshotParams(labels={"tag": tag})
    made = await asyncio.gather(*(daytona.create(params) for _ in range(MANY)))
    assert all(sandbox.state == "started" for sandbox in made)
    found = [sandbox.id async for sandbox in daytona.list(ListSandboxesQuery(labels={"tag": tag}, limit=7))]
    assert sorted(found) == sorted(sandbox.id for sandbox in made)
    await asyncio.gather(*(sandbox.stop() for sandbox in made))
    assert all(sandbox.state == "stopped" for sandbox in made)
    await asyncio.gather(*(sandbox.delete(wait=True) for sandbox in made))
    assert all(await asyncio.gather(*(absent(daytona, sandbox) for sandbox in made)))


async def one_name_for_one_sandbox(daytona):
    params = CreateSandboxFromSnapshotParams(name=f"one-{uuid.uuid4()}")
    results = await asyncio.gather(*(daytona.create(params) for _ in range(MANY)), return_exceptions=True)
    made = [result for result in results if not isinstance(result, BaseException)]
    assert len(made) == 1, results
    assert all(isinstance(result, DaytonaConflictError) for result in results if result is not made[0]), results
    await made[0].delete(wait=True)


async def settings_of_one(daytona):
    params = CreateSandboxFromSnapshotParams(
        language="typescript", auto_stop_interval=0, auto_archive_interval=60, auto_delete_interval=60
    )
    sandbox = await daytona.create(params)
    await sandbox.set_labels({"team": "platform", "env": "staging"})
    await sandbox.set_autostop_interval(5)
    await sandbox.set_auto_archive_interval(0)
    await sandbox.set_auto_delete_interval(-1)
    await sandbox.refresh_activity()
    found = await daytona.get(sandbox.name)
    assert found.labels == {"team": "platform", "env": "staging"}
    intervals = (found.auto_stop_interval, found.auto_archive_interval, found.auto_delete_interval)
    assert intervals == (5, 30 * 24 * 60, -1), intervals
    await sandbox.delete(wait=True)


async def an_ephemeral_one(daytona):
    sandbox = await daytona.create(CreateSandboxFromSnapshotParams(ephemeral=True, auto_stop_interval=5))
    await sandbox.stop()
    await sandbox.wait_for_sandbox_stop()
    assert await absent(daytona, sandbox)


async def main():
    async with AsyncDaytona() as daytona:
        for function in (a_life, many_at_once, one_name_for_one_sandbox, settings_of_one, an_ephemeral_one):
            await function(daytona)
            print(f"ok {function.__name__}", flush=True)


asyncio.run(main())
