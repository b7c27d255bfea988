// Forecasts and backtests of tables, and the predictions of a store.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import { backtest, detectAnomalies, forecast, open, TravelsenseError } from 'travelsense';

/** @param {number} t */
const day = (t) => new Date(Date.UTC(2025, 0, 1 + t)).toISOString().slice(0, 10);
/** @param {number} t */
const value = (t) => 20 + 5 * (t % 7) + ((t * 37) % 11) / 10;
/** @param {number} count */
const rows = (count, ids = ['a']) =>
  ids.flatMap((id) => Array.from({ length: count }, (_, t) => ({ unique_id: id, ds: day(t), y: value(t) })));

test('rows are forecast, and Arrow gives the same', async () => {
  const made = await forecast(rows(70), { horizon: 3, level: [80, 95] });
  assert.deepEqual(
    made.forecasts.ds,
    [70, 71, 72].map((t) => day(t)),
  );
  assert.equal(made.series[0]?.periods, 70);
  const table = tableFromIPC(await made.toArrowIPC());
  assert.deepEqual(
    table.schema.fields.map((field) => field.name),
    ['unique_id', 'ds', 'mean', 'lo-80', 'hi-80', 'lo-95', 'hi-95'],
  );
  const given = rows(70);
  const arrow = tableFromArrays({ ds: given.map((row) => row.ds), y: Float64Array.from(given.map((row) => row.y)) });
  const other = await forecast(tableToIPC(arrow), { horizon: 3, level: [80, 95] });
  assert.deepEqual(other.forecasts.mean, made.forecasts.mean);
  assert.equal(JSON.parse(made.toJSONText()).forecasts.mean[0], made.forecasts.mean[0]);
});

test('a backtest stands beside the naive forecast, and is a picture', async () => {
  const tested = await backtest(rows(70, ['a', 'b']), { horizon: 7, origins: 3 });
  assert.equal(tested.rows.y.length, 42);
  assert.ok((tested.overall.model.mase ?? 9) < (tested.overall.naive.mase ?? 0));
  assert.match((await tested.toSVG('b')) ?? '', /^<svg/);
  assert.equal(await tested.toSVG('c'), null);
});

test('a regressor must be known ahead', async () => {
  const given = rows(40).map((row, t) => ({ ...row, price: t % 3 }));
  const future = [{ unique_id: 'a', ds: day(40), price: 1 }];
  const options = { horizon: 2, regressors: ['price'], future };
  await assert.rejects(forecast(given, options), { code: 'validation_failed' });
  const made = await forecast(given, { ...options, horizon: 1 });
  assert.equal(made.forecasts.mean.length, 1);
});

test('what is wrong is told by name, and a signal gives a forecast up', async () => {
  await assert.rejects(forecast(rows(9), { horizon: 0, freq: 'fortnight' }), (error) => {
    assert.ok(error instanceof TravelsenseError);
    assert.deepEqual(error.errors.map((fault) => fault.field).sort(), ['freq', 'horizon']);
    return true;
  });
  await assert.rejects(forecast(new Uint8Array(9), { horizon: 1 }), /Arrow/);
  const given = up();
  await assert.rejects(forecast(rows(9), { horizon: 1 }, { signal: given }), { name: 'AbortError' });
});

function up() {
  const control = new AbortController();
  control.abort();
  return control.signal;
}

test('one day need not be a list, and a column that is missing is named once', async () => {
  const [one, several] = await Promise.all(
    [day(5), [day(5)]].map((sale) => forecast(rows(70), { horizon: 2, events: { sale } })),
  );
  assert.equal(one?.toJSONText(), several?.toJSONText());
  const renamed = rows(70).map(({ ds, y }) => ({ date: ds, y }));
  // @ts-expect-error the column is called otherwise
  await assert.rejects(forecast(renamed, { horizon: 2 }), (/** @type {TravelsenseError} */ error) => {
    assert.deepEqual(error.errors[0], { field: 'ds', code: 'required', message: 'is required' });
    return true;
  });
});

test('the store foretells', async () => {
  const store = await open(':memory:', { now: '2026-02-28T00:00:00Z' });
  after(() => store.close());
  const events = [];
  for (let user = 0; user < 30; user++) {
    for (let t = user; t < 120; t++) {
      if ((t * (user + 3)) % (2 + (user % 5)) !== 0 || (user % 4 === 0 && t > 80)) continue;
      const ts = new Date(Date.UTC(2025, 9, 1 + t, 9, user)).toISOString();
      const books = (user + t) % 5 === 0;
      events.push({ userId: `u${user}`, name: books ? 'complete_booking' : 'search', ts, properties: { revenue: 9 } });
    }
  }
  await store.ingest(events);
  const range = { startDate: '2025-10-01', endDate: '2026-01-15' };
  const growth = await store.predictive({ predictionType: 'user_growth', ...range, horizon: 5 });
  assert.equal(growth.predictions.length, 5);
  const tested = await store.backtest({ predictionType: 'demand_forecast', ...range, horizon: 7, origins: 4 });
  assert.deepEqual([tested.overall.points, tested.series[0]?.id, tested.series[0]?.origins], [28, 'all', 4]);
  const churn = await store.churn({ horizonDays: 14, limit: 3 });
  assert.equal(churn.users.length, 3);
  const worth = await store.value({ activity: 'complete_booking', horizonDays: 30 });
  assert.ok(worth.users.length > 0);
  const next = await store.nextAction({ users: ['u1'], top: 2 });
  assert.equal(next.users[0]?.userId, 'u1');
  for (const answer of [growth, tested, churn, worth, next]) {
    assert.ok(tableFromIPC(await answer.toArrowIPC()).numRows > 0);
  }
  assert.match(await store.chart('churn', { horizonDays: 14 }), /^<svg/);
});

test('what was not as usual in a table is found in rows and in Arrow alike', async () => {
  const given = Array.from({ length: 84 }, (_, n) => ({ ds: day(n), y: n === 80 ? 200 : 1000 + 10 * (n % 7) }));
  const made = await detectAnomalies(given, { kind: 'count' });
  assert.deepEqual(
    made.findings.map(({ since, direction, observed }) => [since, direction, observed]),
    [[day(80), 'down', 200]],
  );
  assert.equal(made.rows.unusual.indexOf(true), 80);
  assert.equal(made.series[0]?.periods, 84);
  const arrow = tableFromArrays({ ds: given.map(({ ds }) => ds), y: Float64Array.from(given.map(({ y }) => y)) });
  const other = await detectAnomalies(tableToIPC(arrow), { kind: 'count' });
  assert.deepEqual(other.findings, made.findings);
  assert.match((await made.toSVG()) ?? '', /What was unusual of y/);
  await assert.rejects(detectAnomalies(given, /** @type {any} */ ({ kind: 'money' })), { code: 'validation_failed' });
});
