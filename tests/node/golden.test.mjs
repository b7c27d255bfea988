// Whole answers, byte for byte those of the core and of the other doors; `tests/vectors/golden` has them.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { open } from '../../node/dist/index.mjs';

/**
 * @typedef {object} Golden
 * @property {'funnel' | 'retention' | 'realtime'} word
 * @property {string} now
 * @property {string} events
 * @property {any} question
 * @property {string} answer
 */

const golden = join(import.meta.dirname, '..', 'vectors', 'golden');
const names = (await readdir(golden)).filter((name) => name.endsWith('.json')).sort();
const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(folder, { recursive: true }));

test('there are golden answers', () => assert.notEqual(names.length, 0));

for (const name of names) {
  test(`${name.replace('.json', '')} is golden byte for byte`, async () => {
    /** @type {Golden} */
    const { word, now, events, question, answer } = JSON.parse(await readFile(join(golden, name), 'utf8'));
    const path = join(folder, `${name}.db`);
    const writer = await open(path, { now });
    await writer.import(join(golden, events), { strict: true });
    await writer.close();
    const store = await open(path, { now, readOnly: true, threads: 1 });
    assert.equal((await store[word](question)).toJSONText(), answer);
    await store.close();
  });
}
