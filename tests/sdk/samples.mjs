// The code samples of the public document with the TypeScript SDK, against whatever DAYTONA_API_URL names.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';

import { Daytona, DaytonaConflictError, DaytonaError, DaytonaNotFoundError, Image } from '@daytonaio/sdk';

// Whether there are real machines, on which programs are installed.
const containers = 'CONTAINERS' in process.env;
const daytona = new Daytona();

// Asked for anew: what an object says of itself may be overtaken by an older push.
async function state(sandbox) {
  return (await daytona.get(sandbox.id)).state;
}

async function absent(sandbox) {
  try {
    return ['destroyed', 'destroying'].includes((await daytona.get(sandbox.id)).state);
  } catch (error) {
    assert(error instanceof DaytonaNotFoundError, error);
    return true;
  }
}

async function refused(status, call) {
  try {
    await call();
  } catch (error) {
    assert(error instanceof DaytonaError, error);
    assert.equal(error.statusCode, status, error.message);
    return error.message;
  }
  assert.fail('it was not refused');
}

// It is done; or the host cannot do it, which is said by status and code. One that only pretends can do all.
async function done(call) {
  try {
    await call();
    return true;
  } catch (error) {
    assert(containers && error.statusCode === 422 && error.code, error);
    return false;
  }
}

async function all(query) {
  const found = [];
  for await (const sandbox of daytona.list(query)) found.push(sandbox);
  return found;
}

const samples = {
  async create_start_stop_delete() {
    const sandbox = await daytona.create();
    assert.equal(await state(sandbox), 'started');
    assert.deepEqual([sandbox.cpu, sandbox.memory, sandbox.disk], [1, 1, 3]);
    assert.deepEqual([sandbox.autoStopInterval, sandbox.autoArchiveInterval, sandbox.autoDeleteInterval], [15, 10080, -1]);
    await sandbox.stop();
    assert.equal(await state(sandbox), 'stopped');
    await sandbox.start();
    assert.equal(await state(sandbox), 'started');
    await sandbox.delete();
    assert(await absent(sandbox));
  },

  async get_and_list() {
    const name = `named-${randomUUID()}`;
    const labels = { tag: name };
    const sandbox = await daytona.create({ name, labels, language: 'typescript' });
    assert.equal((await daytona.get(name)).id, sandbox.id);
    assert.equal((await daytona.get(sandbox.id)).name, name);
    assert.equal(sandbox.labels['code-toolbox-language'], 'typescript');
    assert.deepEqual((await all({ labels })).map((found) => found.id), [sandbox.id]);
    assert((await all()).map((found) => found.id).includes(sandbox.id));
    await sandbox.delete();
  },

  async labels_and_intervals() {
    const sandbox = await daytona.create({ autoStopInterval: 0, autoArchiveInterval: 60, autoDeleteInterval: 60 });
    const labels = { team: 'platform', env: 'staging' };
    await sandbox.setLabels(labels);
    await sandbox.setAutostopInterval(5);
    await sandbox.setAutoArchiveInterval(0);
    await sandbox.setAutoDeleteInterval(0);
    assert.equal((await daytona.get(sandbox.id)).autoDeleteInterval, 0);
    await sandbox.setAutoDeleteInterval(-1);
    const before = sandbox.lastActivityAt;
    await sandbox.refreshActivity();
    const found = await daytona.get(sandbox.id);
    assert.deepEqual(found.labels, labels);
    assert(found.lastActivityAt > before);
    assert.deepEqual([found.autoStopInterval, found.autoArchiveInterval, found.autoDeleteInterval], [5, 43200, -1]);
    await sandbox.delete();
  },

  async ephemeral_and_forced() {
    const ephemeral = await daytona.create({ ephemeral: true, autoStopInterval: 5 });
    assert.equal(ephemeral.autoDeleteInterval, 0);
    await ephemeral.stop();
    await ephemeral.waitUntilStopped();
    assert(await absent(ephemeral));
    const sandbox = await daytona.create();
    await sandbox.stop(60, true);
    assert.equal(await state(sandbox), 'stopped');
    await sandbox.delete();
  },

  async snapshots() {
    const { items } = await daytona.snapshot.list();
    const snapshot = await daytona.snapshot.get(items[0].name);
    const sandbox = await daytona.create({ snapshot: snapshot.name });
    assert.equal(sandbox.snapshot, snapshot.name);
    await sandbox.delete();
    const medium = await daytona.create({ snapshot: 'daytona-medium' });
    assert.deepEqual([medium.cpu, medium.memory, medium.disk], [2, 4, 8]);
    await medium.delete();
  },

  async resize_archive_and_recover() {
    const sandbox = await daytona.create();
    if (await done(() => sandbox.resize({ cpu: 2, memory: 4 }))) {
      const found = await daytona.get(sandbox.id);
      assert.deepEqual([found.cpu, found.memory, found.disk], [2, 4, 3]);
    }
    if (sandbox.recoverable) await sandbox.recover();
    assert(!sandbox.recoverable);
    assert.match(await refused(400, () => sandbox.recover()), /recover/);
    await sandbox.stop();
    await refused(400, () => sandbox.resize({ cpu: 4, memory: 8, disk: 20 }));
    if (await done(() => sandbox.resize({ cpu: 4, memory: 8, disk: 10 }))) {
      assert.equal((await daytona.get(sandbox.id)).disk, 10);
    }
    if (await done(() => sandbox.archive())) {
      assert(['archiving', 'archived'].includes(await state(sandbox)));
    }
    await sandbox.start();
    assert.equal(await state(sandbox), 'started');
    await sandbox.delete();
  },

  async commands_and_code() {
    const sandbox = await daytona.create({ envVars: { GREETING: 'good morning' } });
    const response = await sandbox.process.executeCommand('echo hello');
    assert.deepEqual([response.exitCode, response.result], [0, 'hello\n']);
    assert.equal((await sandbox.process.executeCommand('exit 7')).exitCode, 7);
    assert.equal((await sandbox.process.executeCommand('pwd', '/tmp')).result, '/tmp\n');
    if (containers) {
      assert.equal((await sandbox.process.executeCommand('echo $GREETING')).result, 'good morning\n');
      assert.equal((await sandbox.process.codeRun("print('from python')")).result, 'from python\n');
    }
    await sandbox.delete();
    for (const [language, code] of [
      ['typescript', 'const x: number = 6 * 7; console.log(x);'],
      ['javascript', 'console.log(6 * 7);'],
    ]) {
      const other = await daytona.create({ language });
      if (containers) {
        const ran = await other.process.codeRun(code);
        assert.deepEqual([ran.exitCode, ran.result], [0, '42\n']);
      }
      await other.delete();
    }
  },

  async files() {
    const sandbox = await daytona.create();
    const bytes = Buffer.from(Array.from({ length: 300000 }, (_, index) => index % 251));
    await sandbox.fs.createFolder('work', '755');
    await sandbox.fs.uploadFile(bytes, 'work/a.bin');
    assert(bytes.equals(await sandbox.fs.downloadFile('work/a.bin')));
    await sandbox.fs.uploadFiles([{ source: Buffer.from('one\ntwo\n'), destination: 'work/b.txt' }]);
    assert.deepEqual((await sandbox.fs.listFiles('work')).map((file) => file.name).sort(), ['a.bin', 'b.txt']);
    assert.equal((await sandbox.fs.getFileDetails('work/a.bin')).size, 300000);
    assert.equal((await sandbox.fs.findFiles('work', 'two'))[0].line, 2);
    await sandbox.fs.moveFiles('work/b.txt', 'work/c.txt');
    await sandbox.fs.deleteFile('work/c.txt');
    await assert.rejects(sandbox.fs.downloadFile('work/c.txt'), DaytonaError);
    await sandbox.delete();
  },

  async sessions_and_terminals() {
    const sandbox = await daytona.create();
    await sandbox.process.createSession('one');
    await sandbox.process.executeSessionCommand('one', { command: 'cd /tmp' });
    const { stdout } = await sandbox.process.executeSessionCommand('one', { command: 'pwd' });
    assert.equal(stdout.trim(), '/tmp');
    await sandbox.process.deleteSession('one');
    const terminal = await sandbox.process.createPty({ id: 'terminal', cols: 100, rows: 30, onData: () => {} });
    await terminal.waitForConnection();
    await terminal.sendInput('exit 5\n');
    assert.equal((await terminal.wait()).exitCode, 5);
    await sandbox.delete();
  },

  async errors() {
    await assert.rejects(daytona.get('nobody-is-called-this'), DaytonaNotFoundError);
    const name = `taken-${randomUUID()}`;
    const sandbox = await daytona.create({ name });
    await assert.rejects(daytona.create({ name }), DaytonaConflictError);
    await refused(400, () => daytona.create({ snapshot: 'no-such-snapshot' }));
    for (const resources of [{ cpu: 5 }, { memory: 9 }, { disk: 11 }]) {
      await refused(400, () => daytona.create({ image: Image.debianSlim('3.12'), resources }));
    }
    assert.match(await refused(422, () => sandbox.pause()), /paus/);
    await done(async () => {
      const built = await daytona.create({ image: Image.debianSlim('3.12') });
      await built.delete();
    });
    await sandbox.delete();
  },
};

for (const [name, run] of Object.entries(samples)) {
  try {
    await run();
  } catch (error) {
    console.error(error);
    console.log(`FAILED ${name}`);
    process.exit(1);
  }
  console.log(`ok ${name}`);
}
// The SDK keeps a socket open for a while, which is not worth waiting for.
process.exit(0);
