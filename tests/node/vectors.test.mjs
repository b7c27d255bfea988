// The vectors of `tests/vectors` through the Node door; their README says what they are.

import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { open, TravelsenseError } from '../../node/dist/index.mjs';
import { compiled } from '../../node/test/compiled.mjs';

/** @typedef {import('../../node/dist/index.mjs').Analytics} Analytics */
/** @typedef {'funnel' | 'drop_off' | 'compare' | 'explain_difference' | 'retention'} Earlier */
/** @typedef {Earlier | 'journey' | 'engagement' | 'adoption' | 'realtime' | 'churn' | 'value' | 'next_action' | 'pickup' | Foretold} Word */
/** @typedef {'score' | 'feedback' | 'predictive' | 'forecast' | 'backtest' | 'detect_anomalies'} Foretold */
/** @typedef {{ code: string, errors: { field: string, code: string }[] }} Refusal */
/**
 * @typedef {object} Vector
 * @property {string} why
 * @property {string} now
 * @property {any} question
 * @property {any[]} [events]
 * @property {object[]} [profiles]
 * @property {object[]} [rates]
 * @property {object[]} [aliases]
 * @property {object[]} [merges]
 * @property {{ name: string, definition: any }[]} [cohorts]
 * @property {({ text: string } & import('../../node/dist/index.mjs').NewModel)[]} [models]
 * @property {({ name: string } & import('../../node/dist/index.mjs').OutsidePredictions)[]} [predictions]
 * @property {{ word: 'score', question: any }[]} [asked]
 * @property {({ name: string } & import('../../node/dist/index.mjs').Actuals)[]} [actuals]
 * @property {object} [ingest]
 * @property {object} [expect]
 * @property {{ cell: object, users: string[] }[]} [people]
 * @property {Refusal} [error]
 */

const vectors = join(import.meta.dirname, '..', 'vectors');
const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
after(() => rm(folder, { recursive: true }));

/**
 * Imports the rows of a platform's table, as a file.
 * @param {Analytics} store
 * @param {'profiles' | 'rates' | 'aliases' | 'merges'} table
 * @param {object[] | undefined} rows
 */
async function load(store, table, rows) {
  if (rows === undefined) return;
  const path = join(folder, `${table}.ndjson`);
  await writeFile(path, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await store.import(path, { table, strict: true });
}

/**
 * Where a value does not hold what is expected of it.
 * @param {any} expected
 * @param {any} actual
 * @returns {string[]}
 */
function differences(expected, actual, at = 'answer') {
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length) {
    return expected.flatMap((item, i) => differences(item, actual[i], `${at}[${i}]`));
  }
  if (isObject(expected) && isObject(actual)) {
    return Object.keys(expected).flatMap((name) => differences(expected[name], actual[name], `${at}.${name}`));
  }
  return expected === actual ? [] : [`${at}: expected ${JSON.stringify(expected)}, got ${JSON.stringify(actual)}`];
}

/** @param {unknown} value */
const isObject = (value) => value !== null && typeof value === 'object' && !Array.isArray(value);

/**
 * Questions and their answers as TypeScript, one for each combination of fields that there are.
 * @type {Map<string, string>}
 */
const answered = new Map();

/**
 * The fields of a value and of all within it.
 * @param {any} value
 * @param {Set<string>} [fields]
 */
function shape(value, fields = new Set(), at = '') {
  if (isObject(value) || Array.isArray(value)) {
    for (const [name, inner] of Object.entries(value))
      shape(inner, fields, Array.isArray(value) ? at : `${at}.${name}`);
  }
  fields.add(`${at} ${value === null ? 'null' : typeof value}`);
  return [...fields].sort().join();
}

/** @param {{ field: string, code: string }[]} errors */
const codes = (errors) => errors.map(({ field, code }) => `${field} ${code}`).sort();

/**
 * The answer to a question as it stands: here the metric of a retention table is not filled in where it is absent.
 * @param {Analytics} store
 * @param {Word} word
 * @param {any} question
 */
const ask = (store, word, question) => {
  switch (word) {
    case 'drop_off':
      return store.dropOff(question);
    case 'explain_difference':
      return store.explainDifference(question);
    case 'retention':
      return store.retention({ analysisMetric: null, ...question });
    default:
      return word in store ? /** @type {any} */ (store)[word](question) : store.query(word, question);
  }
};

/**
 * @param {Word} word
 * @param {Vector} vector
 */
async function run(
  word,
  {
    why,
    now,
    question,
    events,
    profiles,
    rates,
    aliases,
    merges,
    cohorts,
    models,
    predictions,
    asked,
    actuals,
    ingest,
    expect,
    people,
    error,
  },
) {
  const store = await open(':memory:', { now });
  try {
    await load(store, 'profiles', profiles);
    await load(store, 'rates', rates);
    await load(store, 'aliases', aliases);
    await load(store, 'merges', merges);
    const report = await store.ingest(events ?? []);
    if (ingest !== undefined) assert.deepEqual(differences(ingest, report, 'report'), []);
    for (const { name, definition } of cohorts ?? []) await store.createCohort(name, definition);
    for (const { text, ...model } of models ?? []) await store.registerModel(model, Buffer.from(text));
    for (const { name, ...run } of predictions ?? []) await store.addPredictions(name, run);
    for (const before of asked ?? []) await store.query(before.word, before.question);
    for (const { name, ...came } of actuals ?? []) await store.addActuals(name, came);
    if (error === undefined) {
      const answer = await ask(store, word, question);
      assert.deepEqual(differences(expect, answer), [], why);
      assert.deepEqual(JSON.parse(answer.toJSONText()), answer);
      const text = `Asked<'${word}'> = { question: ${JSON.stringify(question)}, answer: ${answer.toJSONText()} }`;
      answered.set(`${word} ${shape(question)} ${shape(answer)}`, text);
      for (const { cell, users } of people ?? []) {
        const behind = await store.people(/** @type {any} */ ({ word, question, cell }));
        assert.deepEqual(
          behind.users.map(({ userId }) => userId),
          users,
        );
      }
    } else {
      const refusal = await ask(store, word, question).catch((/** @type {unknown} */ refusal) => refusal);
      assert.ok(refusal instanceof TravelsenseError, why);
      assert.equal(refusal.code, error.code, why);
      assert.deepEqual(codes([...refusal.errors]), codes(error.errors), why);
    }
  } finally {
    await store.close();
  }
}

const folders = (await readdir(vectors, { withFileTypes: true })).filter((e) => e.isDirectory() && e.name !== 'golden');
// All are looked up before the first test: the tests are over, and the folder is gone, as soon as none is left while a file is awaited.
const words = await Promise.all(
  folders.map(async ({ name: word }) => {
    const names = (await readdir(join(vectors, word))).filter((name) => name.endsWith('.json'));
    return { word, names: names.sort() };
  }),
);
test('there are vectors of words', () => {
  assert.ok(words.length >= 13 && words.some(({ word }) => word === 'pickup'));
});
for (const { word, names } of words) {
  test(`${word} has vectors`, () => assert.notEqual(names.length, 0));
  for (const name of names) {
    test(`${word} ${name.replace('.json', '')}`, async () => {
      /** @type {Vector} */
      const vector = JSON.parse(await readFile(join(vectors, word, name), 'utf8'));
      assert.notEqual(vector.expect === undefined, vector.error === undefined, 'has `expect` or `error`, not both');
      await run(/** @type {Word} */ (word), vector);
    });
  }
}

test('all questions and answers of the vectors are of their types', async () => {
  assert.ok(answered.size > 100);
  const source = [
    "import type { Words } from './dist/index.js';",
    // An object literal may have no field that its type lacks, and must have all that are not optional.
    "type Asked<W extends keyof Words> = { question: Words[W]['question']; answer: Words[W]['answer'] };",
    ...[...answered.values()].map((text, i) => `export const v${i}: ${text};`),
  ];
  await writeFile(join(folder, 'vectors.ts'), source.join('\n'));
  await symlink(join(import.meta.dirname, '..', '..', 'node', 'dist'), join(folder, 'dist'));
  assert.equal(await compiled(folder, 'vectors.ts'), '');
});
