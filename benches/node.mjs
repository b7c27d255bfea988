#!/usr/bin/env node
// What it costs to ask from Node.js: beside the same question asked in Rust, and for an import.
//
//   benches/node.mjs [--events N] [--profile release|debug] [--write]
//
// Needs `bench` and the package's native module, both of the same profile. Prints Markdown; with --write it also stands in
// benches/README.md.

import { execFileSync } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { parseArgs } from 'node:util';

const here = import.meta.dirname;
const face = join(here, '..', 'node', 'dist', 'index.mjs');
const { open } = await import(face);

const ASKED = ['funnel', 'funnel_filter', 'funnel_breakdown', 'retention', 'lifecycle', 'stickiness', 'paths'];
const NOW = '2026-06-01T00:00:00Z';
const SECONDS = 2;
const IMPORTS = 15;
const small = {
  title: 'a funnel over 100 events',
  word: 'funnel',
  question: { steps: ['search', 'complete_booking'], startDate: '2026-01-15', endDate: '2026-03-15', window: '7d' },
};

const { values } = parseArgs({
  options: {
    events: { type: 'string', default: '1000000' },
    profile: { type: 'string', default: 'release' },
    write: { type: 'boolean', default: false },
  },
});
const target = execFileSync(join(here, '..', '.setup', 'folder'), { encoding: 'utf8' }).trim();
const bench = join(target, values.profile, 'bench');

const folder = await mkdtemp(join(tmpdir(), 'travelsense-'));
try {
  const [tiny, large] = [join(folder, 'tiny.db'), join(folder, 'large.db')];
  execFileSync(bench, ['load', tiny, '100']);
  execFileSync(bench, ['load', large, values.events.replaceAll('_', '')]);
  const all = JSON.parse(await readFile(join(here, 'questions.json'), 'utf8'));
  const questions = Object.fromEntries(ASKED.map((name) => [name, all[name]]));
  const lines = [
    `**Node.js** · ${Number(values.events.replaceAll('_', '')).toLocaleString('en')} events · Node.js ${process.version}`,
    '',
    '| question | Rust | Node.js | ÷ Rust | added |',
    '|---|---:|---:|---:|---:|',
    ...(await crossing(tiny, { small })),
    ...(await crossing(large, questions)),
    '',
    `\`import\` of the package takes ${said(imported())}, the best of ${IMPORTS} new processes.`,
  ];
  const text = lines.join('\n');
  console.log(text);
  if (values.write) await write(text);
} finally {
  await rm(folder, { recursive: true });
}

/** Each question in Rust and in Node.js, by turns; the best of each. */
async function crossing(store, questions) {
  const file = join(folder, 'questions.json');
  await writeFile(file, JSON.stringify(questions));
  const best = Object.fromEntries(Object.keys(questions).map((name) => [name, [Infinity, Infinity]]));
  for (let round = 0; round < 2; round++) {
    for (const [name, seconds] of Object.entries(rust(store, file, Object.keys(questions)))) {
      best[name][0] = Math.min(best[name][0], seconds);
    }
    const analytics = await open(store, { now: NOW, readOnly: true });
    for (const [name, { word, question }] of Object.entries(questions)) {
      best[name][1] = Math.min(best[name][1], await fastest(() => analytics.queryText(word, question)));
    }
    await analytics.close();
  }
  return Object.entries(best).map(([name, [r, n]]) => {
    const added = said(Math.max(n - r, 0));
    return `| ${questions[name].title} | ${said(r)} | ${said(n)} | ${(n / r).toFixed(2)} | ${added} |`;
  });
}

/** The best seconds of each question, asked in a process of Rust: the question as JSON, and the answer as JSON. */
function rust(store, file, names) {
  const input = names.map((question) => `${JSON.stringify({ question, runs: 2_000, seconds: SECONDS })}\n`).join('');
  const told = execFileSync(bench, ['serve', store, file], { input, encoding: 'utf8', maxBuffer: 1 << 28 }).split('\n');
  const times = (line) => JSON.parse(line).seconds.slice(1);
  return Object.fromEntries(names.map((name, i) => [name, Math.min(...times(told[i + 1]))]));
}

/** The best seconds of many, after a first that is cold. */
async function fastest(ask) {
  await ask();
  let best = Infinity;
  const end = performance.now() + 1_000 * SECONDS;
  for (let i = 0; i < 2_000 && performance.now() < end; i++) {
    const began = performance.now();
    await ask();
    best = Math.min(best, performance.now() - began);
  }
  return best / 1_000;
}

/** The best seconds that the package takes to be imported by a new process. */
function imported() {
  const program = `const began = performance.now(); await import(${JSON.stringify(face)}); console.log(performance.now() - began)`;
  const once = () => Number(execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }));
  return Math.min(...Array.from({ length: IMPORTS }, once)) / 1_000;
}

/** A length of time in three figures. */
function said(seconds) {
  const units = [
    [1, 's'],
    [1e-3, 'ms'],
    [1e-6, 'µs'],
  ];
  const [size, unit] = units.find(([size]) => seconds >= size) ?? [1e-9, 'ns'];
  return `${Number((seconds / size).toPrecision(3))} ${unit}`;
}

/** Puts the figures between their marks in benches/README.md. */
async function write(text) {
  const readme = join(here, 'README.md');
  const [before, rest = ''] = (await readFile(readme, 'utf8')).split('<!-- node -->');
  const [, after = ''] = rest.split('<!-- end node -->');
  await writeFile(readme, `${before}<!-- node -->\n${text}\n<!-- end node -->${after}`);
}
