/// <reference lib="esnext.disposable" preserve="true" />
/** The handle: opens a store, asks it, closes it. */

import type {
  Alert,
  AlertEvent,
  Alerts,
  Deliveries,
  Delivery,
  Evaluated,
  NewAlert,
  Notifications,
  Page,
} from './alert.js';
import type { AdoptionAnswer, AdoptionQuestion } from './adoption.js';
import { answer, exact, type Answer, type Exact } from './answer.js';
import { asked, type Asking, type How } from './asking.js';
import type { Catalogue, NewCatalogue } from './catalogue.js';
import type {
  ChurnAnswer,
  ChurnQuestion,
  NextActionAnswer,
  NextActionQuestion,
  ValueAnswer,
  ValueQuestion,
} from './churn.js';
import type {
  Audit,
  AuditList,
  Dashboard,
  DashboardList,
  Dashboards,
  NewDashboard,
  Sharing,
  Template,
  Verification,
  WidgetData,
} from './dashboard.js';
import type {
  CompareQuestion,
  Comparison,
  DifferenceQuestion,
  DropOffAnswer,
  DropOffQuestion,
  Explanation,
} from './difference.js';
import type { EngagementAnswer, EngagementQuestion } from './engagement.js';
import { awaited, TravelsenseError } from './error.js';
import type { FunnelAnswer, FunnelQuestion } from './funnel.js';
import type { ExportJob, ExportList, ExportRequest, ExportsQuestion } from './export.js';
import { run, type ImportOptions, type ImportReport } from './import.js';
import type { IngestReport, NewEvent } from './ingest.js';
import type { Insight, UserInsightsQuestion } from './insight.js';
import type { JourneyAnswer, JourneyQuestion } from './journey.js';
import type {
  Actuals,
  Feedback,
  FeedbackLog,
  FeedbackQuestion,
  Model,
  Models,
  NewModel,
  OutsidePredictions,
  ScoreQuestion,
  Scores,
} from './model.js';
import { native, type NativeStore } from './native.js';
import type { People, PeopleQuestion, SavedCohort } from './people.js';
import type { PredictiveAnswer, PredictiveQuestion } from './predictive.js';
import type { When } from './query.js';
import { written } from './question.js';
import type { RealtimeMetric, RealtimeQuestion } from './realtime.js';
import { asked as retained, type RetentionAnswer, type RetentionQuestion } from './retention.js';

/** The words whose answers have charts. */
type Charted =
  | 'funnel'
  | 'retention'
  | 'engagement'
  | 'journey'
  | 'realtime'
  | 'predictive'
  | 'churn'
  | 'value'
  | 'next_action'
  | 'forecast'
  | 'backtest';

/** How to open a store of events. */
export interface OpenOptions {
  /** Whether to leave the file as it is, beside a process that writes or other readers; false by default. */
  readOnly?: boolean | null;
  /** How many threads to use; all cores by default. */
  threads?: number | null;
  /** The most bytes timelines may take while they are built; no limit by default. */
  memoryLimit?: number | null;
  /** How long a behavioural question may take before it is given up as `timed_out`: seconds, or text such as `30s`; no limit by default. */
  timeout?: number | string | null;
  /** An instant at which the store's clock stands still, for answers that can be repeated; the system's clock by default. */
  now?: When | null;
}

/**
 * Opens the store of events in a file, which is made where it is not there, or `:memory:` for one that ends with the
 * handle.
 *
 * @throws {@link TravelsenseError} where the file is held by another process, is no store, or is newer than this version.
 */
export async function open(path: string, options?: OpenOptions | null): Promise<Analytics> {
  return new Analytics(await awaited(() => native.open(written({ ...options, path }))));
}

/**
 * A store of events that answers behavioural questions. Every call runs off the main thread.
 *
 * `await using store = await open(…)` closes it at the end of the block.
 */
export class Analytics implements AsyncDisposable {
  readonly #native: NativeStore;
  readonly #running = new Set<Promise<unknown>>();
  #closing: Promise<void> | null = null;

  /** @internal Use {@link open}. */
  constructor(store: NativeStore) {
    this.#native = store;
  }

  /**
   * Imports events, or rows of a platform's table, from a file (NDJSON, CSV, Parquet, Arrow IPC, told by its extension)
   * or from Arrow IPC in memory. All of it is kept or, where it fails or is stopped, nothing.
   *
   * Rows that are not valid are counted and listed in the report, and do not stop the others; with `strict` they do.
   */
  async import(source: string | Uint8Array, options?: ImportOptions | null): Promise<Exact<ImportReport>> {
    return exact(await this.#call(() => run(this.#native, source, options ?? {})));
  }

  /** Takes a batch of events and says of each whether it was accepted, a duplicate or refused; a success is durable. */
  async ingest(events: readonly NewEvent[]): Promise<Exact<IngestReport>> {
    return exact(await this.#call(() => this.#native.ingest(written(events))));
  }

  /** How far the users of a range get through a series of steps. Like every question it may be given a time limit and a signal. */
  async funnel(question: FunnelQuestion, asking?: Asking | null): Promise<Answer<FunnelAnswer>> {
    return answer(await this.#ask(asking, (...how) => this.#native.funnel(written(question), ...how)));
  }

  /** Where the users of a funnel stop, what they do next, and what separates them from those who go on. */
  async dropOff(question: DropOffQuestion, asking?: Asking | null): Promise<Answer<DropOffAnswer>> {
    return answer(await this.#ask(asking, (...how) => this.#native.dropOff(written(question), ...how)));
  }

  /** Whether the groups of a funnel differ, each from the rest, in the whole and at each step. */
  async compare(question: CompareQuestion, asking?: Asking | null): Promise<Answer<Comparison>> {
    return answer(await this.#ask(asking, (...how) => this.#native.compare(written(question), ...how)));
  }

  /** Why two questions have different answers: the switches that differ, what each does alone, and the users that differ. */
  async explainDifference(question: DifferenceQuestion, asking?: Asking | null): Promise<Answer<Explanation>> {
    return answer(await this.#ask(asking, (...how) => this.#native.explainDifference(written(question), ...how)));
  }

  /**
   * Asks any word (`funnel`, `drop_off`, `compare`, `explain_difference`, `retention`, `journey`, `engagement`, `adoption`,
   * `realtime`, `user_insights`, `churn`, `value`, `next_action`, `predictive`, `forecast`, `backtest`, `score`, `feedback`)
   * with everything that it can be asked; the fields of the question are named as in JSON.
   */
  async query(word: string, question: object, asking?: Asking | null): Promise<Exact<unknown>> {
    return exact(await this.#ask(asking, (...how) => this.#native.query(word, written(question), ...how)));
  }

  /**
   * The users behind a number: a word, its question, and the cell of its answer, for example
   * `{ cell: 'reached', step: 2 }`. `total` is the number itself, always.
   */
  async people(request: PeopleQuestion, asking?: Asking | null): Promise<Exact<People>> {
    return exact(await this.#ask(asking, (...how) => this.#native.people(written(request), ...how)));
  }

  /**
   * Exports a dashboard, a report or the events themselves as a file. A small export is complete when the promise is
   * kept; {@link exportJob} says how far a larger one is, and {@link saveExport} gets the file, which is kept for a day.
   */
  async export(request: ExportRequest): Promise<Exact<ExportJob>> {
    return exact(await this.#call(() => this.#native.export(written(request))));
  }

  /** Exports, the latest first. */
  async exports(question?: ExportsQuestion | null): Promise<Exact<ExportList>> {
    return exact(await this.#call(() => this.#native.exports(written(question ?? {}))));
  }

  /** An export, and how far it is. */
  async exportJob(id: string): Promise<Exact<ExportJob>> {
    return exact(await this.#call(() => this.#native.exportJob(id)));
  }

  /** Gives up an export that is not over; it is then `failed`, for the reason `cancelled`. */
  async cancelExport(id: string): Promise<Exact<ExportJob>> {
    return exact(await this.#call(() => this.#native.cancelExport(id)));
  }

  /** Copies the file of a complete export to a path, and gives its size in bytes. */
  saveExport(id: string, path: string): Promise<number> {
    return this.#call(() => this.#native.saveExport(id, path));
  }

  /** The answer of a word as a chart in SVG that follows light and dark pages; of `churn` how well its probabilities were calibrated. */
  chart(word: Charted, question: object): Promise<string> {
    return this.#call(() => this.#native.chart(word, written(question)));
  }

  /** All cohorts by name. */
  async cohorts(): Promise<SavedCohort[]> {
    return exact(await this.#call(() => this.#native.cohorts()));
  }

  /**
   * Makes a cohort, a named set of users whose definition never changes: `{ users: [id] }`,
   * `{ did: event, atLeast: 1, last: '30d' }`, `{ profile: [filter] }`, `{ all: [] }`, `{ any: [] }` or `{ not: … }`.
   */
  createCohort(name: string, definition: object): Promise<void> {
    return this.#call(() => this.#native.createCohort(name, written(definition)));
  }

  /** Removes a cohort. */
  removeCohort(name: string): Promise<void> {
    return this.#call(() => this.#native.removeCohort(name));
  }

  /** Who comes back, by the period in which they started. */
  async retention(question: RetentionQuestion, asking?: Asking | null): Promise<Answer<RetentionAnswer>> {
    return answer(await this.#ask(asking, (...how) => this.#native.retention(written(retained(question)), ...how)));
  }

  /** How often users come, and when: active users, stickiness, lifecycle, sessions, heat map. */
  async engagement(question: EngagementQuestion, asking?: Asking | null): Promise<Answer<EngagementAnswer>> {
    return answer(await this.#ask(asking, (...how) => this.#native.engagement(written(question), ...how)));
  }

  /** Which features users take up, how soon and how many of them. */
  async adoption(question: AdoptionQuestion, asking?: Asking | null): Promise<Answer<AdoptionAnswer>> {
    return answer(await this.#ask(asking, (...how) => this.#native.adoption(written(question), ...how)));
  }

  /** Which ways users take: paths, transitions, what comes before and after an event, and where paths end. */
  async journey(question: JourneyQuestion, asking?: Asking | null): Promise<Answer<JourneyAnswer>> {
    return answer(await this.#ask(asking, (...how) => this.#native.journey(written(question), ...how)));
  }

  /** What comes after the history of a range: new users, revenue, bookings, churn or adoption, with intervals. */
  async predictive(question: PredictiveQuestion, asking?: Asking | null): Promise<Answer<PredictiveAnswer>> {
    return answer(await this.#ask(asking, (...how) => this.#native.predictive(written(question), ...how)));
  }

  /** Which users are about to go away, how sure that is, and why. */
  async churn(question?: ChurnQuestion | null, asking?: Asking | null): Promise<Answer<ChurnAnswer>> {
    return answer(await this.#ask(asking, (...how) => this.#native.churn(written(question ?? {}), ...how)));
  }

  /** What customers will be worth: how often they are expected to buy, and for how much. */
  async value(question?: ValueQuestion | null, asking?: Asking | null): Promise<Answer<ValueAnswer>> {
    return answer(await this.#ask(asking, (...how) => this.#native.value(written(question ?? {}), ...how)));
  }

  /** What users will do next, together and one by one. */
  async nextAction(question?: NextActionQuestion | null, asking?: Asking | null): Promise<Answer<NextActionAnswer>> {
    return answer(await this.#ask(asking, (...how) => this.#native.nextAction(written(question ?? {}), ...how)));
  }

  /** What is happening right now: six figures over the last 5, 15 or 60 minutes. */
  async realtime(question?: RealtimeQuestion | null, asking?: Asking | null): Promise<Answer<RealtimeMetric[]>> {
    return answer(await this.#ask(asking, (...how) => this.#native.realtime(written(question ?? {}), ...how)));
  }

  /** What stands out in how users behave over a range, in words and with the numbers behind them. */
  async userInsights(question: UserInsightsQuestion, asking?: Asking | null): Promise<Answer<Insight[]>> {
    return answer(await this.#ask(asking, (...how) => this.#native.userInsights(written(question), ...how)));
  }

  /** Which events mean what: page views, conversions, errors, revenue, the default funnel. */
  async catalogue(): Promise<Exact<Catalogue>> {
    return exact(await this.#call(() => this.#native.catalogue()));
  }

  /** Replaces the catalogue; what is left out has its default for travel. */
  setCatalogue(catalogue: NewCatalogue): Promise<void> {
    return this.#call(() => this.#native.setCatalogue(written(catalogue)));
  }

  /**
   * The same store for somebody else of a role (`admin`, `analyst`, `viewer`): what they may not do is refused, and the record holds
   * their name. The file is closed once every handle of it is.
   */
  acting(id: string, role: string): Analytics {
    return new Analytics(this.#native.acting(id, role));
  }

  /** The dashboards that are one's own, shared or public, page by page. */
  async dashboards(list?: DashboardList | null): Promise<Exact<Dashboards>> {
    return exact(await this.#call(() => this.#native.dashboards(written(list ?? {}))));
  }

  /** Makes a dashboard. */
  async createDashboard(dashboard: NewDashboard): Promise<Exact<Dashboard>> {
    return exact(await this.#call(() => this.#native.createDashboard(written(dashboard))));
  }

  /** Makes a dashboard of a template; `name`, `description` and `isPublic` stand in place of the template's own. */
  async createDashboardFrom(template: string, changes?: Partial<NewDashboard> | null): Promise<Exact<Dashboard>> {
    return exact(await this.#call(() => this.#native.createDashboardFrom(template, written(changes ?? {}))));
  }

  /** The templates that dashboards can be made of. */
  async dashboardTemplates(): Promise<Exact<Template[]>> {
    return exact(await this.#call(() => this.#native.dashboardTemplates()));
  }

  /** A dashboard. */
  async dashboard(id: string): Promise<Exact<Dashboard>> {
    return exact(await this.#call(() => this.#native.dashboard(id)));
  }

  /** Changes a dashboard: what is left out stays as it is. With a revision, only if it is still that one. */
  async updateDashboard(
    id: string,
    changes: Partial<NewDashboard>,
    revision?: number | null,
  ): Promise<Exact<Dashboard>> {
    return exact(await this.#call(() => this.#native.updateDashboard(id, written(changes), revision ?? null)));
  }

  /** Removes a dashboard. With a revision, only if it is still that one. */
  deleteDashboard(id: string, revision?: number | null): Promise<void> {
    return this.#call(() => this.#native.deleteDashboard(id, revision ?? null));
  }

  /** A dashboard's widgets with their data, over a range or as far back as each widget says. */
  async dashboardData(
    id: string,
    range?: { startDate: When; endDate: When; timezone?: string | null } | null,
    asking?: Asking | null,
  ): Promise<Exact<WidgetData[]>> {
    return exact(await this.#ask(asking, (...how) => this.#native.dashboardData(id, written(range ?? {}), ...how)));
  }

  /** With whom a dashboard is shared. */
  async dashboardSharing(id: string): Promise<Exact<Sharing>> {
    return exact(await this.#call(() => this.#native.dashboardSharing(id)));
  }

  /** Shares a dashboard with these users and roles and nobody else. */
  async shareDashboard(id: string, sharing: Sharing): Promise<Exact<Sharing>> {
    return exact(await this.#call(() => this.#native.shareDashboard(id, written(sharing))));
  }

  /** Registers a model trained elsewhere from the bytes of its file: ONNX, XGBoost's JSON or UBJSON, LightGBM's text. */
  async registerModel(model: NewModel, file: Uint8Array): Promise<Exact<Model>> {
    return exact(await this.#call(() => this.#native.registerModel(written(model), file)));
  }

  /** All versions of all models, the latest first, page by page. */
  async models(list?: (Page & { search?: string | null }) | null): Promise<Exact<Models>> {
    return exact(await this.#call(() => this.#native.models(written(list ?? {}))));
  }

  /** A model by its name, which means the latest version, by `name@version` or by its id. */
  async model(model: string): Promise<Exact<Model>> {
    return exact(await this.#call(() => this.#native.model(model)));
  }

  /** Removes a version of a model; its number is not given again. */
  deleteModel(model: string): Promise<void> {
    return this.#call(() => this.#native.deleteModel(model));
  }

  /** What a model says of rows, or of the users of this store. */
  async score(question: ScoreQuestion, asking?: Asking | null): Promise<Exact<Scores>> {
    return exact(await this.#ask(asking, (...how) => this.#native.query('score', written(question), ...how)));
  }

  /** What became of what was foretold under a name. */
  async feedback(question: FeedbackQuestion, asking?: Asking | null): Promise<Exact<Feedback>> {
    return exact(await this.#ask(asking, (...how) => this.#native.query('feedback', written(question), ...how)));
  }

  /** The names under which something foretold is kept. */
  async feedbackLogs(): Promise<Exact<FeedbackLog[]>> {
    return exact(await this.#call(() => this.#native.feedbackLogs()));
  }

  /** Tells what came of what is kept under a name; how many values were new or otherwise than before. */
  async addActuals(name: string, actuals: Actuals): Promise<number> {
    return Number(await this.#call(() => this.#native.addActuals(name, written(actuals))));
  }

  /** Keeps predictions made elsewhere under a name, so that what comes can be joined; the id of the run. */
  addPredictions(name: string, predictions: OutsidePredictions): Promise<string> {
    return this.#call(() => this.#native.addPredictions(name, written(predictions)));
  }

  /** Forgets all that is kept under a name; how many runs it had. */
  async deleteFeedback(name: string): Promise<number> {
    return Number(await this.#call(() => this.#native.deleteFeedback(name)));
  }

  /** The alert rules and where they stand, page by page. */
  async alerts(list?: (Page & { search?: string | null }) | null): Promise<Exact<Alerts>> {
    return exact(await this.#call(() => this.#native.alerts(written(list ?? {}))));
  }

  /** Makes an alert rule; its questions are asked as whoever makes it. */
  async createAlert(rule: NewAlert): Promise<Exact<Alert>> {
    return exact(await this.#call(() => this.#native.createAlert(written(rule))));
  }

  /** An alert rule, and where it stands. */
  async alert(id: string): Promise<Exact<Alert>> {
    return exact(await this.#call(() => this.#native.alert(id)));
  }

  /** Changes an alert rule: what is left out stays as it is. With a revision, only if it is still that one. */
  async updateAlert(id: string, changes: Partial<NewAlert>, revision?: number | null): Promise<Exact<Alert>> {
    return exact(await this.#call(() => this.#native.updateAlert(id, written(changes), revision ?? null)));
  }

  /** Removes an alert rule. With a revision, only if it is still that one. */
  deleteAlert(id: string, revision?: number | null): Promise<void> {
    return this.#call(() => this.#native.deleteAlert(id, revision ?? null));
  }

  /** Tells nobody of an alert rule for a while; an incident that outlasts it is told then. `until` null ends a silence. */
  async silenceAlert(
    id: string,
    silence: { until?: When | null; for?: string | number | null; reason?: string | null },
  ): Promise<Exact<Alert>> {
    return exact(await this.#call(() => this.#native.silenceAlert(id, written(silence))));
  }

  /** Sends a test to all places that an alert rule tells. */
  async testAlert(id: string): Promise<Exact<{ reading: object; verdict: string; messages: number }>> {
    return exact(await this.#call(() => this.#native.testAlert(id)));
  }

  /** What became of an alert rule, the latest first. */
  async alertHistory(id: string, list?: Page | null): Promise<Exact<AlertEvent[]>> {
    return exact(await this.#call(() => this.#native.alertHistory(id, written(list ?? {}))));
  }

  /** Evaluates the alert rules that are due, each once for the same instant; a server does so by itself. */
  async evaluateAlerts(): Promise<Exact<Evaluated>> {
    return exact(await this.#call(() => this.#native.evaluateAlerts()));
  }

  /** One's notifications, the latest first. */
  async notifications(list?: (Page & { unread?: boolean | null }) | null): Promise<Exact<Notifications>> {
    return exact(await this.#call(() => this.#native.notifications(written(list ?? {}))));
  }

  /** Marks a notification as read. */
  readNotification(id: string): Promise<void> {
    return this.#call(() => this.#native.readNotification(id));
  }

  /** Notifications on their way out, the latest first. */
  async deliveries(list?: (Page & { state?: Delivery['state'] | null }) | null): Promise<Exact<Deliveries>> {
    return exact(await this.#call(() => this.#native.deliveries(written(list ?? {}))));
  }

  /** Puts a notification that was given up on its way again. */
  retryDelivery(id: string): Promise<void> {
    return this.#call(() => this.#native.retryDelivery(id));
  }

  /** The record of who did what, the latest entry first. */
  async audit(list?: AuditList | null): Promise<Exact<Audit>> {
    return exact(await this.#call(() => this.#native.audit(written(list ?? {}))));
  }

  /** Checks the record, and names the first entry that is not what it was. */
  async verifyAudit(): Promise<Exact<Verification>> {
    return exact(await this.#call(() => this.#native.verifyAudit()));
  }

  /** Throws away what is derived from the stored events and builds it anew. */
  rebuild(): Promise<void> {
    return this.#call(() => this.#native.rebuild());
  }

  /** Waits for the calls that run, then closes the file; calling it again changes nothing. */
  close(): Promise<void> {
    this.#closing ??= Promise.allSettled(this.#running).then(() => awaited(() => this.#native.close()));
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  #ask<T>(asking: Asking | null | undefined, call: (...how: How) => Promise<T>): Promise<T> {
    return this.#call(() => asked(asking, call));
  }

  async #call<T>(call: () => Promise<T>): Promise<T> {
    if (this.#closing !== null) {
      throw new TravelsenseError({ kind: 'conflict', code: 'closed', message: 'the store is closed', errors: [] });
    }
    const running = awaited(call);
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }
}
