"""The code samples of the public document with the asynchronous Python SDK, many at a time."""

import asyncio
import os
import uuid

from daytona import (
    AsyncDaytona,
    CreateSandboxFromSnapshotParams,
    DaytonaConflictError,
    DaytonaError,
    DaytonaNotFoundError,
    ListSandboxesQuery,
    Resources,
    SessionExecuteRequest,
)

MANY = 20
# Whether there are real machines, on which programs are installed.
CONTAINERS = "CONTAINERS" in os.environ


async def refused(status, call):
    """The server says no, with this status and a sentence."""
    try:
        await call
    except DaytonaError as error:
        assert error.status_code == status and len(str(error)) > 20, error
        return
    raise AssertionError("it was not refused")


async def done(call):
    """It is done; or the host cannot do it, which is said by status and code. One that only pretends can do all."""
    try:
        await call
        return True
    except DaytonaError as error:
        assert CONTAINERS and error.status_code == 422 and error.code, (error, error.status_code, error.code)
        return False


async def state(daytona, sandbox):
    """Asked for anew: what an object says of itself may be overtaken by an older push."""
    return (await daytona.get(sandbox.id)).state


async def absent(daytona, sandbox):
    try:
        return (await daytona.get(sandbox.id)).state in ("destroyed", "destroying")
    except DaytonaNotFoundError:
        return True


async def a_life(daytona):
    sandbox = await daytona.create()
    assert await state(daytona, sandbox) == "started"
    await sandbox.stop()
    assert await state(daytona, sandbox) == "stopped"
    await sandbox.start()
    assert await state(daytona, sandbox) == "started"
    await sandbox.stop(force=True)
    await sandbox.delete(wait=True)
    assert await absent(daytona, sandbox)


async def many_at_once(daytona):
    tag = str(uuid.uuid4())
    params = CreateSandboxFromSnapshotParams(labels={"tag": tag})
    made = await asyncio.gather(*(daytona.create(params) for _ in range(MANY)))
    ids = sorted(sandbox.id for sandbox in made)
    query = ListSandboxesQuery(labels={"tag": tag}, limit=7)
    found = [(sandbox.id, sandbox.state) async for sandbox in daytona.list(query)]
    assert sorted(found) == [(id, "started") for id in ids], found
    await asyncio.gather(*(sandbox.stop() for sandbox in made))
    found = [(sandbox.id, sandbox.state) async for sandbox in daytona.list(query)]
    assert sorted(found) == [(id, "stopped") for id in ids], found
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
    await sandbox.set_auto_delete_interval(0)
    assert (await daytona.get(sandbox.id)).auto_delete_interval == 0
    await sandbox.set_auto_delete_interval(-1)
    before = sandbox.last_activity_at
    await sandbox.refresh_activity()
    found = await daytona.get(sandbox.name)
    assert found.last_activity_at > before
    assert found.labels == {"team": "platform", "env": "staging"}
    intervals = (found.auto_stop_interval, found.auto_archive_interval, found.auto_delete_interval)
    assert intervals == (5, 30 * 24 * 60, -1), intervals
    await sandbox.delete(wait=True)


async def of_a_named_size(daytona):
    sandbox = await daytona.create(CreateSandboxFromSnapshotParams(snapshot="daytona-medium"))
    assert (sandbox.cpu, sandbox.memory, sandbox.disk) == (2, 4, 8), sandbox
    assert (await daytona.get(sandbox.id)).snapshot == "daytona-medium"
    assert sandbox.id in [found.id async for found in daytona.list()]
    await sandbox.delete()


async def at_work_on_one(daytona):
    sandbox = await daytona.create()
    if await done(sandbox.resize(Resources(cpu=2, memory=4))):
        found = await daytona.get(sandbox.id)
        assert (found.cpu, found.memory, found.disk) == (2, 4, 3), found
    assert not sandbox.recoverable
    await refused(400, sandbox.recover())
    await refused(422, sandbox.pause())
    await sandbox.stop()
    await refused(400, sandbox.resize(Resources(cpu=4, memory=8, disk=20)))
    if await done(sandbox.resize(Resources(cpu=4, memory=8, disk=10))):
        assert (await daytona.get(sandbox.id)).disk == 10
    if await done(sandbox.archive()):
        assert await state(daytona, sandbox) in ("archiving", "archived")
    await sandbox.start()
    assert await state(daytona, sandbox) == "started"
    await sandbox.delete(wait=True)


async def code_in_its_language(daytona):
    for language, code in (("python", "print(6 * 7)"), ("typescript", "const x: number = 6 * 7; console.log(x)")):
        sandbox = await daytona.create(CreateSandboxFromSnapshotParams(language=language))
        if CONTAINERS:
            response = await sandbox.process.code_run(code)
            assert (response.exit_code, response.result) == (0, "42\n"), response
        await sandbox.delete()


async def an_ephemeral_one(daytona):
    sandbox = await daytona.create(CreateSandboxFromSnapshotParams(ephemeral=True, auto_stop_interval=5))
    await sandbox.stop()
    await sandbox.wait_for_sandbox_stop()
    assert await absent(daytona, sandbox)


async def commands_files_and_sessions(daytona):
    sandbox = await daytona.create()
    results = await asyncio.gather(*(sandbox.process.exec(f"echo {number}") for number in range(MANY)))
    assert [response.result for response in results] == [f"{number}\n" for number in range(MANY)]
    files = [(f"f{number}.txt", str(number).encode() * 1000) for number in range(MANY)]
    await asyncio.gather(*(sandbox.fs.upload_file(data, name) for name, data in files))
    found = await asyncio.gather(*(sandbox.fs.download_file(name) for name, _ in files))
    assert found == [data for _, data in files]
    await sandbox.process.create_session("one")
    await sandbox.process.execute_session_command("one", SessionExecuteRequest(command="cd /tmp"))
    told = await sandbox.process.execute_session_command("one", SessionExecuteRequest(command="pwd"))
    assert told.stdout.strip() == "/tmp", told
    await sandbox.delete(wait=True)


async def main():
    async with AsyncDaytona() as daytona:
        lives = (a_life, many_at_once, one_name_for_one_sandbox, settings_of_one, an_ephemeral_one)
        works = (of_a_named_size, at_work_on_one, code_in_its_language, commands_files_and_sessions)
        for function in (*lives, *works):
            await function(daytona)
            print(f"ok {function.__name__}", flush=True)


asyncio.run(main())
