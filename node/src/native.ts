/** The native module, private to this package: JSON text goes in, JSON text or Arrow comes out. */

import type { How } from './asking.js';

/** An answer, held by the core. */
export interface NativeAnswer {
  readonly text: string;
  toArrowIpc(): Promise<Uint8Array>;
  svg(name: string | null): Promise<string | null>;
}

/** An open store. */
export interface NativeStore {
  import(source: string | Uint8Array, options: string, stop: NativeStop, hear: Hear | null): Promise<string>;
  ingest(events: string): Promise<string>;
  people(request: string, ...how: How): Promise<string>;
  cohorts(): Promise<string>;
  createCohort(name: string, definition: string): Promise<void>;
  removeCohort(name: string): Promise<void>;
  export(request: string): Promise<string>;
  exports(asked: string): Promise<string>;
  exportJob(id: string): Promise<string>;
  cancelExport(id: string): Promise<string>;
  saveExport(id: string, path: string): Promise<number>;
  chart(word: string, question: string): Promise<string>;
  acting(id: string, role: string): NativeStore;
  dashboards(asked: string): Promise<string>;
  createDashboard(body: string): Promise<string>;
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
  notifications(asked: string): Promise<string>;
  readNotification(id: string): Promise<void>;
  deliveries(asked: string): Promise<string>;
  retryDelivery(id: string): Promise<void>;
  audit(asked: string): Promise<string>;
  verifyAudit(): Promise<string>;
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
  churn(question: string, ...how: How): Promise<NativeAnswer>;
  value(question: string, ...how: How): Promise<NativeAnswer>;
  nextAction(question: string, ...how: How): Promise<NativeAnswer>;
  realtime(question: string, ...how: How): Promise<NativeAnswer>;
  userInsights(question: string, ...how: How): Promise<NativeAnswer>;
  catalogue(): Promise<string>;
  setCatalogue(catalogue: string): Promise<void>;
  rebuild(): Promise<void>;
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
  Stop: new () => NativeStop;
}

/** The native module; loading it names what is missing where it cannot be. */
export const native = load();

function load(): Native {
  try {
    return require('../travelsense.node') as Native;
  } catch (cause) {
    const where = `${process.platform}-${process.arch}`;
    throw new Error(`travelsense has no native module that loads on ${where} with Node.js ${process.version}`, {
      cause,
    });
  }
}
