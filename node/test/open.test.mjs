import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { promisify } from 'node:util';
import { open } from 'travelsense';

const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(folder, { recursive: true }));

test('everything wrong with the options is said at once', async () => {
  /** @type {any} */
  const wrong = { readOnly: 1, threads: 0, memoryLimit: -1, now: 'soon', mode: 'r' };
  await assert.rejects(open('', wrong), {
    name: 'TravelsenseError',
    code: 'validation_failed',
    errors: [
      { field: 'path', code: 'invalid_length', message: 'must name a file, or be `:memory:`' },
      { field: 'readOnly', code: 'invalid_type', message: 'must be true or false' },
      { field: 'threads', code: 'out_of_range', message: 'must be between 1 and 1024' },
      { field: 'memoryLimit', code: 'out_of_range', message: `must be between 1 and ${Number.MAX_SAFE_INTEGER}` },
      {
        field: 'now',
        code: 'invalid_date',
        message: '`soon` is not an ISO 8601 instant, such as 2026-01-31T10:00:00Z',
      },
      {
        field: 'mode',
        code: 'unknown_field',
        message: 'is not known; known are path, readOnly, threads, memoryLimit, timeout, now',
      },
    ],
  });
});

test('a file that is no database, a missing folder and a missing file to read are errors of their own', async () => {
  const text = join(folder, 'notes.txt');
  await writeFile(text, 'these are notes and no database, however long they may go on'.repeat(100));
  await assert.rejects(open(text), { kind: 'corrupt', code: 'not_a_database' });
  await assert.rejects(open(join(folder, 'no', 'such', 'folder.db')), { kind: 'storage', code: 'not_found' });
  await assert.rejects(open(join(folder, 'absent.db'), { readOnly: true }), { kind: 'storage', code: 'not_found' });
});

test('a second process that would write is told so, and gets the file once it is closed', async () => {
  const path = join(folder, 'locked.db');
  const store = await open(path);
  const second = `import('travelsense').then(({ open }) => open(process.argv[1])).then(
    (store) => store.close().then(() => console.log('open')), (error) => console.log(error.kind, error.code))`;
  const run = () =>
    promisify(execFile)(process.execPath, ['--eval', second, path], { cwd: import.meta.dirname, encoding: 'utf8' });
  assert.equal((await run()).stdout, 'conflict locked\n');
  await store.close();
  assert.equal((await run()).stdout, 'open\n');
});

test('closing waits for calls that run, refuses later ones and may be repeated', async () => {
  const store = await open(':memory:');
  const question = { steps: ['a'], startDate: '2026-01-01', endDate: '2026-01-31' };
  const running = store.funnel(question);
  await Promise.all([store.close(), store.close()]);
  assert.equal((await running).entered, 0);
  await assert.rejects(store.funnel(question), { kind: 'conflict', code: 'closed', message: 'the store is closed' });
  await store.close();
});
