// Models trained elsewhere and feedback: the core's answers, met from Node.js.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { open } from 'travelsense';

const folder = new URL('../../tests/data/models/', import.meta.url);

test('a model is registered, asked, followed by what comes, and removed', async () => {
  const store = await open(':memory:', { now: '2026-03-01T00:00:00Z' });
  const expected = JSON.parse(await readFile(new URL('expected.json', folder), 'utf8'));
  const made = await store.registerModel({ name: 'churn' }, await readFile(new URL('churn.onnx', folder)));
  assert.deepEqual(made.classes, ['goes', 'stays']);
  const scored = await store.score({ model: 'churn', rows: expected.rows, ids: [1, 2, 3, 4], feedback: 'goes' });
  assert.deepEqual(scored.predictions['label'], expected['churn.onnx'].label);
  const chances = /** @type {number[]} */ (scored.predictions['probability_stays']);
  chances.forEach((p, i) => assert.ok(Math.abs(p - expected['churn.onnx'].probability_stays[i]) < 1e-6));
  assert.equal(await store.addActuals('goes', { uniqueId: [1, 2], y: [true, false] }), 2);
  const told = await store.feedback({ name: 'goes' });
  assert.equal(told.scores.n, 2);
  assert.equal(told.waiting, 2);
  await store.addPredictions('theirs', { model: 'sheet', mean: [1], ds: ['2026-01-01'] });
  assert.deepEqual(
    (await store.feedbackLogs()).map((log) => log.name),
    ['goes', 'theirs'],
  );
  assert.equal(await store.deleteFeedback('goes'), 1);
  assert.equal((await store.models()).total, 1);
  await store.deleteModel(made._id);
  await assert.rejects(store.model('churn'), { code: 'not_found' });
  await assert.rejects(store.registerModel({ name: 'm' }, new Uint8Array(3)), { code: 'validation_failed' });
  await store.close();
});
