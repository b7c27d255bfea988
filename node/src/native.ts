/** The native module, private to this package: JSON text goes in, JSON text or Arrow comes out. */

import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { How } from './asking.js';

/** An answer, held by the core. */
export interface NativeAnswer {
  readonly text: string;
  toArrowIpc(): Promise<Uint8Array>;
  svg(name: string | null): Promise<string | null>;
  rows(): Promise<NativeRows>;
}

/** The rows of a table that have not been read yet. */
export interface NativeRows {
  readonly columns: [name: string, kind: 'int64' | 'instant' | 'other'][];
  next(): Promise<string>;
}

/** The routes over one store. */
export interface NativeHandler {
  send(request: string, body: Uint8Array | null): NativeReply;
  close(): Promise<void>;
}

/** A request that was sent, and its answer. */
export interface NativeReply {
  head(): Promise<{ status: number; headers: [name: string, value: string][]; body?: Uint8Array<ArrayBuffer> } | null>;
  next(): Promise<Uint8Array | null>;
  end(): void;
}

/** A notification that is due. */
export interface NativeLetter {
  readonly text: string;
}

/** An open store. */
export interface NativeStore {
  import(source: string | Uint8Array, options: string, stop: NativeStop, hear: Hear | null): Promise<string>;
  ingest(events: string): Promise<string>;
  ingestBatch(events: string, source: string, key: string | null): Promise<string>;
  ingestStatus(): Promise<string>;
  quarantine(asked: string): Promise<string>;
  replayQuarantine(asked: string): Promise<string>;
  replayParked(): Promise<string>;
  erase(ids: readonly string[], ...how: How): Promise<string>;
  dataVersion(): Promise<number>;
  revoke(asked: string): Promise<void>;
  permissions(): Promise<string>;
  resumeExports(): Promise<number>;
  refreshRealtime(): Promise<void>;
  judgeRealtime(): Promise<void>;
  warmUp(...how: How): Promise<void>;
  handler(options: string): NativeHandler;
  takeNotifications(limit: number): Promise<NativeLetter[]>;
  attempted(letter: NativeLetter, whyNot: string | null, lost: boolean): Promise<void>;
  people(request: string, ...how: How): Promise<string>;
  profile(id: string, asked: string): Promise<string>;
  cohorts(): Promise<string>;
  createCohort(name: string, definition: string): Promise<void>;
  removeCohort(name: string): Promise<void>;
  export(request: string, key: string | null): Promise<string>;
  exports(asked: string): Promise<string>;
  exportJob(id: string): Promise<string>;
  cancelExport(id: string): Promise<string>;
  saveExport(id: string, path: string, ...how: How): Promise<number>;
  chart(word: string, question: string): Promise<string>;
  acting(id: string, role: string): NativeStore;
  dashboards(asked: string): Promise<string>;
  createDashboard(body: string, key: string | null): Promise<string>;
  createDashboardFrom(template: string, body: string): Promise<string>;
  dashboardTemplates(): Promise<string>;
  dashboard(id: string): Promise<string>;
  updateDashboard(id: string, body: string, revision: number | null): Promise<string>;
  deleteDashboard(id: string, revision: number | null): Promise<void>;
  dashboardData(id: string, asked: string, ...how: How): Promise<string>;
  dashboardSharing(id: string): Promise<string>;
  shareDashboard(id: string, sharing: string): Promise<string>;
  registerModel(body: string, file: Uint8Array): Promise<string>;
  models(asked: string): Promise<string>;
  model(model: string): Promise<string>;
  deleteModel(model: string): Promise<void>;
  feedbackLogs(): Promise<string>;
  addActuals(name: string, body: string): Promise<string>;
  addPredictions(name: string, body: string): Promise<string>;
  deleteFeedback(name: string): Promise<string>;
  alerts(asked: string): Promise<string>;
  createAlert(body: string): Promise<string>;
  alert(id: string): Promise<string>;
  updateAlert(id: string, body: string, revision: number | null): Promise<string>;
  deleteAlert(id: string, revision: number | null): Promise<void>;
  silenceAlert(id: string, body: string): Promise<string>;
  testAlert(id: string): Promise<string>;
  alertHistory(id: string, asked: string): Promise<string>;
  evaluateAlerts(): Promise<string>;
  alertNews(asked: string): Promise<string>;
  notifications(asked: string): Promise<string>;
  readNotification(id: string): Promise<void>;
  deliveries(asked: string): Promise<string>;
  retryDelivery(id: string): Promise<void>;
  audit(asked: string): Promise<string>;
  auditAnchor(): Promise<string>;
  verifyAudit(asked: string, ...how: How): Promise<string>;
  query(word: string, question: string, ...how: How): Promise<string>;
  funnel(question: string, ...how: How): Promise<NativeAnswer>;
  dropOff(question: string, ...how: How): Promise<NativeAnswer>;
  compare(question: string, ...how: How): Promise<NativeAnswer>;
  explainDifference(question: string, ...how: How): Promise<NativeAnswer>;
  retention(question: string, ...how: How): Promise<NativeAnswer>;
  engagement(question: string, ...how: How): Promise<NativeAnswer>;
  adoption(question: string, ...how: How): Promise<NativeAnswer>;
  journey(question: string, ...how: How): Promise<NativeAnswer>;
  predictive(question: string, ...how: How): Promise<NativeAnswer>;
  backtest(question: string, ...how: How): Promise<NativeAnswer>;
  churn(question: string, ...how: How): Promise<NativeAnswer>;
  value(question: string, ...how: How): Promise<NativeAnswer>;
  nextAction(question: string, ...how: How): Promise<NativeAnswer>;
  realtime(question: string, ...how: How): Promise<NativeAnswer>;
  pickup(question: string, ...how: How): Promise<NativeAnswer>;
  anomalies(question: string, ...how: How): Promise<NativeAnswer>;
  userInsights(question: string, ...how: How): Promise<NativeAnswer>;
  catalogue(): Promise<string>;
  setCatalogue(catalogue: string): Promise<void>;
  rebuild(...how: How): Promise<void>;
  close(): Promise<void>;
}

/** Stops the import or gives up the question that it was given to. */
export interface NativeStop {
  stop(): void;
}

/** Hears how far an import is. */
type Hear = (rows: number, totalRows: number | null, bytes: number, totalBytes: number | null) => void;

/** Forecasts or tests a table in Arrow IPC, or the one that stands in the question. */
type Forecasting = (
  frame: Uint8Array | null,
  future: Uint8Array | null,
  question: string,
  threads: number | null,
  stop: NativeStop,
  hear: ((share: number) => void) | null,
) => Promise<NativeAnswer>;

interface Native {
  open(options: string): Promise<NativeStore>;
  forecast: Forecasting;
  backtest: Forecasting;
  /** Judges a table in Arrow IPC, or the one that stands in the question. */
  detectAnomalies: (
    frame: Uint8Array | null,
    question: string,
    threads: number | null,
    stop: NativeStop,
    hear: ((share: number) => void) | null,
  ) => Promise<NativeAnswer>;
  Stop: new () => NativeStop;
}

/** The native module; loading it names what is missing where it cannot be. */
export const native = load();

/** From the package of this platform, or from beside `dist` where it was built here. */
function load(): Native {
  // Bundlers leave alone what they cannot see through; a bundle finds the package of the platform from where it lies itself.
  const from = typeof __filename === 'string' ? __filename : join(process.cwd(), 'index.js');
  const required = createRequire(from);
  const libraries = process.platform === 'linux' ? ['-gnu'] : process.platform === 'win32' ? ['-msvc'] : [''];
  const platform = `${process.platform}-${process.arch}`;
  const packages = libraries.map((library) => `@travelsense/${platform}${library}`);
  for (const name of ['../travelsense.node', ...packages]) {
    try {
      return required(name) as Native;
    } catch (cause) {
      if (!isAbsent(cause, name)) {
        throw failure(
          'native_module_failed',
          `${name} does not load on ${platform} with Node.js ${process.version}`,
          cause,
        );
      }
    }
  }
  throw failure(
    'native_module_missing',
    `travelsense has no native module for ${platform}: the package ${packages.join(' or ')} is not installed. It is an optional ` +
      'dependency, which npm leaves out with --omit=optional, or where node_modules or package-lock.json come from another platform: ' +
      'remove both and install again. Linux needs glibc',
  );
}

function isAbsent(error: unknown, name: string): boolean {
  return error instanceof Error && 'code' in error && error.code === 'MODULE_NOT_FOUND' && error.message.includes(name);
}

function failure(code: string, message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code });
}
