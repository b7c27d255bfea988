import assert from 'node:assert/strict';
import { test } from 'node:test';
import { open, TravelsenseError } from 'travelsense';

const store = await open(':memory:', { now: '2026-03-01T00:00:00Z' });
const range = { startDate: '2026-01-01', endDate: '2026-01-31' };

/**
 * What a caller without types may pass.
 * @param {unknown} value
 * @returns {any}
 */
const untyped = (value) => value;

/**
 * The error that a promise is rejected with.
 * @param {Promise<unknown>} promise
 */
async function refusal(promise) {
  const error = await promise.then(
    () => assert.fail('was not refused'),
    (/** @type {unknown} */ error) => error,
  );
  assert.ok(error instanceof TravelsenseError, String(error));
  return error;
}

/** @param {TravelsenseError} error */
const codes = (error) => error.errors.map(({ field, code }) => `${field} ${code}`);

test('an error keeps its kind, its code, its sentence and all field errors', async () => {
  const error = await refusal(
    store.funnel({ steps: ['a', ''], window: -1, startDate: '2026-02-30', endDate: '2026-03-09', timezone: 'Mars' }),
  );
  assert.ok(error instanceof Error);
  assert.equal(error.name, 'TravelsenseError');
  assert.equal(error.kind, 'invalid');
  assert.equal(error.code, 'validation_failed');
  assert.deepEqual(codes(error).sort(), [
    'endDate in_future',
    'startDate invalid_date',
    'steps[1] invalid_length',
    'timezone unknown_zone',
    'window out_of_range',
  ]);
  for (const { field, message } of error.errors) assert.ok(error.message.includes(`${field}: ${message}`));
  assert.match(String(error.stack), /errors\.test\.mjs/);
});

test('what JSON would drop in silence is refused by name', async () => {
  const table = [
    [{ window: NaN }, 'window invalid_window'],
    [{ window: Infinity }, 'window invalid_window'],
    [{ asOf: new Date(NaN) }, 'asOf invalid_date'],
    [{ asOf: () => '2026-02-01' }, 'asOf invalid_date'],
    [{ segment: Symbol('all') }, 'segment not_in_list'],
    [{ strictIncrease: 'yes' }, 'strictIncrease invalid_type'],
    [{ window: 2n ** 53n }, 'window out_of_range'],
    [{ colour: 'red' }, 'colour unknown_field'],
  ];
  for (const [given, code] of table) {
    const error = await refusal(store.funnel(untyped({ steps: ['a'], ...range, ...untyped(given) })));
    assert.deepEqual(codes(error), [code]);
  }
});

test('what is no question is refused', async () => {
  for (const question of [undefined, null, [], 'funnel', 7, () => range]) {
    const error = await refusal(store.funnel(untyped(question)));
    assert.deepEqual(codes(error), ['question invalid_type']);
  }
});

test('what holds itself, or is nested without end, is refused', async () => {
  /** @type {Record<string, unknown>} */
  const itself = { ...range };
  itself.steps = [itself];
  let deep = {};
  for (let i = 0; i < 100_000; i += 1) deep = { deep };
  for (const given of [itself, deep]) {
    assert.deepEqual(codes(await refusal(store.funnel(untyped(given)))), ['question too_deep']);
    assert.deepEqual(codes(await refusal(store.ingest([untyped(given)]))), ['events too_deep']);
  }
});

test('data that JSON or UTF-8 lacks is refused by where it stands, all at once', async () => {
  const event = { userId: 'u', name: 'a', ts: new Date('2026-02-01') };
  const wrong = [
    event,
    { ...event, userId: 'cut \ud83d', properties: { share: NaN, list: [1, 2n ** 60n], when: event.ts } },
    { ...event, properties: { most: Infinity } },
  ];
  const named = [
    '[1].userId invalid_text',
    '[1].properties.share not_finite',
    '[1].properties.list[1] out_of_range',
    '[2].properties.most not_finite',
  ];
  const events = await refusal(store.ingest(wrong));
  assert.deepEqual(
    codes(events),
    named.map((code) => `events${code}`),
  );
  const rows = await refusal(store.import(wrong));
  assert.deepEqual(
    codes(rows),
    named.slice(0, 3).map((code) => `rows${code}`),
  );
  // What is no data is left out, as JSON has it, and whole characters are whole.
  const properties = { call: () => 1, none: undefined, small: 7n, emoji: '👩‍💻' };
  assert.equal((await store.ingest([{ ...event, eventId: 'e', properties }])).accepted, 1);
  const where = (/** @type {string} */ property) => [{ event: 'a', where: [{ property, op: 'exists' }] }];
  const entered = async (/** @type {string} */ name) =>
    (await store.funnel(untyped({ steps: where(name), startDate: '2026-02-01', endDate: '2026-02-02' }))).entered;
  assert.deepEqual(await Promise.all(['call', 'none', 'small', 'emoji'].map(entered)), [0, 0, 1, 1]);
});

test('null and undefined mean the default, and a small bigint its number', async () => {
  const answer = await store.funnel({ steps: ['a'], ...range, window: 60 });
  const question = { steps: ['a'], ...range, window: 60n, segment: null, timezone: undefined };
  assert.equal((await store.funnel(untyped(question))).toJSONText(), answer.toJSONText());
});

test('a Date is its instant', async () => {
  const answer = await store.funnel({
    steps: ['a'],
    startDate: new Date('2026-01-01T10:00:00.125Z'),
    endDate: new Date('2026-02-01'),
    asOf: new Date('2026-02-03'),
  });
  assert.equal(answer.startDate, '2026-01-01T10:00:00.125Z');
  assert.equal(answer.endDate, '2026-02-01T00:00:00.000Z');
  assert.equal(answer.asOf, '2026-02-03T00:00:00.000Z');
});

test('text that is no Unicode is refused and not mended', async () => {
  const error = await refusal(store.funnel({ steps: ['\ud800'], ...range }));
  assert.deepEqual(codes(error), ['question invalid_json']);
});
