import assert from 'node:assert/strict';
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import { open } from 'travelsense';
import { compiled } from './compiled.mjs';

const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(folder, { recursive: true }));

// A little of everything that an answer can hold: converters and others, shares of something and of nothing, revenue.
const now = '2026-01-31T12:00:00Z';
const store = await open(':memory:', { now });
after(() => store.close());
const report = await store.ingest([
  { userId: 'u1', name: 'search', ts: '2026-01-05T10:00:00Z' },
  { userId: 'u1', name: 'view_trip', ts: '2026-01-05T10:00:01.5Z' },
  { userId: 'u2', name: 'search', ts: '2026-01-12T10:00:00Z' },
  { userId: 'u1', name: 'page_view', ts: '2026-01-31T11:58:00Z' },
  { userId: 'u1', name: 'payment', ts: '2026-01-31T11:59:00Z', properties: { amount: '12.30', currency: 'EUR' } },
  { name: 'page_view', ts: '2026-01-31T11:59:00Z' },
  { name: '', ts: 'soon' },
]);
const path = join(folder, 'events.ndjson');
await writeFile(path, '{"userId":"u3","name":"search","ts":"2026-01-20"}\n{}\n');
const imported = await store.import(path);

const range = { startDate: '2026-01-05', endDate: '2026-01-25' };
const funnel = await store.funnel({ steps: ['search', ['view_trip', 'look'], null], ...range });
const retention = await store.retention({
  cohortPeriod: 'weekly',
  ...range,
  start: 'search',
  return: ['a', 'page_view'],
});
const realtime = await store.realtime();
await store.judgeRealtime();
const judged = await store.realtime();
const engagement = await store.engagement({ ...range, event: ['search', 'look'] });
const adoption = await store.adoption({ ...range, features: ['search', { name: 'look', released: '2026-01-06' }] });
const journey = await store.journey({ ...range, around: 'search', collapse: true });
const insights = await store.userInsights({ steps: ['search', 'view_trip'], ...range });
const catalogue = await store.catalogue();
const steps = ['search', 'view_trip'];
const dropOff = await store.dropOff({ steps, ...range, properties: [{ user: 'plan' }], minSupport: 1 });
const comparison = await store.compare({ steps, ...range, between: ['new', 'returning'] });
const explanation = await store.explainDifference({ question: { steps, ...range }, presets: ['exact', 'mixpanel'] });
const answers = {
  funnel,
  dropOff,
  comparison,
  explanation,
  retention,
  journey,
  engagement,
  adoption,
  realtime,
  judged,
  insights,
  catalogue,
  report,
  imported,
};

test('every field of every answer is in the types, and none is missing', async () => {
  // An object literal may have no field that its type lacks, and must have all that are not optional.
  const types = {
    funnel: 'FunnelAnswer',
    dropOff: 'DropOffAnswer',
    comparison: 'Comparison',
    explanation: 'Explanation',
    retention: 'RetentionAnswer',
    engagement: 'EngagementAnswer',
    adoption: 'AdoptionAnswer',
    journey: 'JourneyAnswer',
    realtime: 'RealtimeMetric[]',
    judged: 'RealtimeMetric[]',
    insights: 'Insight[]',
    catalogue: 'Catalogue',
    report: 'IngestReport',
    imported: 'ImportReport',
  };
  const source = Object.entries(answers).map(([name, answer]) => {
    const type = types[/** @type {keyof types} */ (name)];
    return `export const ${name}: T.${type} = ${answer.toJSONText()};`;
  });
  await writeFile(join(folder, 'answers.ts'), `import type * as T from './dist/index.js';\n${source.join('\n')}\n`);
  await symlink(join(import.meta.dirname, '..', 'dist'), join(folder, 'dist'));
  assert.equal(await compiled(folder, 'answers.ts'), '');
});

test('an answer is a plain object whose exact text and table do not get in the way', () => {
  for (const answer of Object.values(answers)) {
    assert.deepEqual(JSON.parse(answer.toJSONText()), answer);
    assert.deepEqual(structuredClone(answer), answer);
    assert.ok(!('toJSONText' in { ...answer }));
    assert.ok(!JSON.stringify(answer).includes('undefined'));
  }
});

test('the same question gives the same bytes, and its _id is theirs', async () => {
  const again = await store.funnel({ ...range, steps: ['search', ['view_trip', 'look'], null] });
  assert.equal(again.toJSONText(), funnel.toJSONText());
  const other = await store.funnel({ ...range, steps: ['search', 'view_trip', null] });
  assert.notEqual(other._id, funnel._id);
});

test('a table holds the numbers of its answer', async () => {
  const rows = tableFromIPC(await funnel.toArrowIPC()).toArray();
  assert.deepEqual(
    rows.map((row) => [Number(row.step), row.event, Number(row.count), row.rate]),
    funnel.steps.map(({ step, event, count, rate }) => [
      step,
      Array.isArray(event) ? event.join(' | ') : event,
      count,
      rate.value,
    ]),
  );
  const cells = tableFromIPC(await retention.toArrowIPC()).toArray();
  assert.deepEqual(
    cells.map((row) => [new Date(Number(row.cohort)).toISOString(), Number(row.period), Number(row.count), row.value]),
    retention.cohorts.flatMap((cohort) =>
      cohort.retention.map(({ period, count, value }) => [cohort.period, period, count, value]),
    ),
  );
  const days = tableFromIPC(await engagement.toArrowIPC()).toArray();
  assert.deepEqual(
    days.map((row) => [Number(row.active_users), Number(row.new)]),
    engagement.activeUsers?.daily.map(({ users }, i) => [users, engagement.lifecycle?.[i]?.new]),
  );
  const features = tableFromIPC(await adoption.toArrowIPC()).toArray();
  assert.deepEqual(
    features.map((row) => [row.feature, Number(row.adopters)]),
    adoption.features.map(({ feature, adopters }) => [feature, adopters]),
  );
  const links = tableFromIPC(await journey.toArrowIPC()).toArray();
  assert.deepEqual(
    links.map((row) => [Number(row.step), Number(row.users)]),
    journey.sankey?.links.map(({ step, users }) => [step, users]),
  );
  const figures = tableFromIPC(await realtime.toArrowIPC()).toArray();
  assert.deepEqual(
    figures.map((row) => [row.metric_name, row.value]),
    realtime.map(({ metricName, value }) => [metricName, value]),
  );
  const words = tableFromIPC(await insights.toArrowIPC()).toArray();
  assert.deepEqual(
    words.map((row) => [row.insight_type, row.description]),
    insights.map(({ insightType, description }) => [insightType, description]),
  );
});

test('the catalogue can be changed, and what is left out has its default', async () => {
  const fresh = await open(':memory:', { now });
  await fresh.setCatalogue({ defaultFunnel: ['open', { event: ['pay', 'buy'] }], premiumPlans: ['gold'] });
  assert.deepEqual(await fresh.catalogue(), {
    ...catalogue,
    defaultFunnel: ['open', ['pay', 'buy']],
    premiumPlans: ['gold'],
  });
  const { steps } = await fresh.funnel(range);
  assert.deepEqual(
    steps.map(({ event }) => event),
    ['open', ['pay', 'buy']],
  );
  /** @type {any} */
  const wrong = { pageViews: 'page_view', baseCurrency: 'Euro', colour: 1 };
  await assert.rejects(fresh.setCatalogue(wrong), { kind: 'invalid', code: 'validation_failed' });
  await fresh.close();
});

test('rebuilding changes no answer', async () => {
  await store.rebuild();
  const again = await store.funnel({ steps: ['search', ['view_trip', 'look'], null], ...range });
  assert.equal(again.toJSONText(), funnel.toJSONText());
  await assert.rejects(store.acting('v', 'viewer').rebuild(), { code: 'forbidden' });
});

test('a breakdown is rows of all together and then of each group', async () => {
  const fresh = await open(':memory:', { now });
  await fresh.ingest([
    { userId: 'a', name: 's', ts: '2026-01-05T10:00:00Z', properties: { country: 'FR' } },
    { userId: 'a', name: 'b', ts: '2026-01-05T11:00:00Z' },
    { userId: 'b', name: 's', ts: '2026-01-06T10:00:00Z', properties: { country: 'DE' } },
  ]);
  const broken = await fresh.funnel({ steps: ['s', 'b'], breakdown: 'country', ...range });
  const rows = tableFromIPC(await broken.toArrowIPC()).toArray();
  assert.deepEqual(
    rows.map((row) => [row.group, Number(row.step), Number(row.count)]).sort(),
    [null, 'DE', 'FR']
      .flatMap((group) => [1, 2].map((step) => [group, step, { DE: 2 - step, FR: 1 }[group ?? ''] ?? 3 - step]))
      .sort(),
  );
  for await (const { group, rate } of broken.toRows()) if (group === 'FR') assert.equal(rate, 1);
  const anomalies = await fresh.anomalies({ metric: 'active_users', ...range });
  assert.equal(tableFromIPC(await anomalies.toArrowIPC()).numRows, anomalies.series.length);
  const books = await fresh.pickup({ booking: 's', ...range, daysBefore: [1] });
  assert.equal(tableFromIPC(await books.toArrowIPC()).numRows, books.periods.length);
  await fresh.close();
});

test('somebody has a profile: who it is, and what they did, the latest first', async () => {
  const { person, total, hasMore, events } = await store.profile('u1', { limit: 2 });
  assert.deepEqual([person.userId, person.events, total, hasMore], ['u1', 4, 4, true]);
  assert.deepEqual(
    events.map(({ name, amount, currency }) => [name, amount, currency]),
    [
      ['payment', '12.30', 'EUR'],
      ['page_view', null, null],
    ],
  );
  assert.deepEqual((await store.profile('u1', { name: 'search' })).events[0]?.ts, '2026-01-05T10:00:00.000Z');
  await assert.rejects(store.profile('nobody'), { code: 'not_found' });
  await assert.rejects(store.profile('u1', { limit: 0 }), { code: 'validation_failed' });
});
