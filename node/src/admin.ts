/** What stands beside the questions: dashboards, alerts, exports, cohorts, the catalogue, the record, and what was not stored. */

import type {
  Alert,
  AlertEvent,
  AlertNews,
  Alerts,
  Deliveries,
  Delivery,
  DeliveryReport,
  DueNotification,
  Evaluated,
  NewAlert,
  Notifications,
  Page,
} from './alert.js';
import { exact, type Exact } from './answer.js';
import type { Asking } from './asking.js';
import type { Catalogue, NewCatalogue } from './catalogue.js';
import type {
  Anchor,
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
import type { ErasureReport, IngestStatus, ParkedReport, Quarantine, QuarantineList } from './events.js';
import type { ExportJob, ExportList, ExportRequest, ExportsQuestion } from './export.js';
import { Handle } from './handle.js';
import type { IngestReport } from './ingest.js';
import type { CohortDefinition, SavedCohort } from './people.js';
import type { When } from './query.js';
import { written } from './question.js';
import { repeated } from './stream.js';

/** Something that a role allows. */
export type Permission =
  | 'read_analytics'
  | 'read_people'
  | 'manage_cohorts'
  | 'import_events'
  | 'ingest_events'
  | 'manage_catalogue'
  | 'erase_people'
  | 'read_dashboards'
  | 'manage_dashboards'
  | 'read_audit'
  | 'manage_access'
  | 'read_alerts'
  | 'manage_alerts'
  | 'manage_models';

/** A request that is made once, however often it is sent. */
export interface Once {
  /** A key by which the same request is known for 24 hours: sent again, it gives what was made before. */
  readonly idempotencyKey?: string | null;
}

/** What stands beside the questions of a store. */
export class Administration extends Handle {
  /** How the intake of events does: what waits, what became of what came, and how fresh each source is. */
  async ingestStatus(): Promise<Exact<IngestStatus>> {
    return exact(await this.call(() => this.native.ingestStatus()));
  }

  /** Events that were refused but kept, such as those of clocks that cannot be right, page by page. */
  async quarantine(list?: QuarantineList | null): Promise<Exact<Quarantine>> {
    return exact(await this.call(() => this.native.quarantine(written(list ?? {}))));
  }

  /** Sends events of the quarantine again, as received now: those of these ids, or all. What is no longer refused leaves it. */
  async replayQuarantine(ids?: readonly string[] | null): Promise<Exact<IngestReport>> {
    return exact(await this.call(() => this.native.replayQuarantine(written({ ids: ids ?? null }))));
  }

  /** Stores batches that could not be stored when they came and were put beside the file. */
  async replayParked(): Promise<Exact<ParkedReport>> {
    return exact(await this.call(() => this.native.replayParked()));
  }

  /**
   * Takes everything of users away, for good and before the promise is kept: their events, also those of devices that were theirs, and
   * all that profiles, aliases, merges, cohorts and other tables say of them. Whoever was merged with one of them goes too. Given up
   * in time, nothing is taken away.
   */
  async erase(userIds: readonly string[], asking?: Asking | null): Promise<Exact<ErasureReport>> {
    return exact(await this.done(asking, (...how) => this.native.erase(userIds, ...how)));
  }

  /**
   * Exports a dashboard, a report or the events themselves as a file. A small export is complete when the promise is
   * kept; {@link exportJob} says how far a larger one is, and {@link saveExport} gets the file, which is kept for a day.
   */
  async export(request: ExportRequest, once?: Once | null): Promise<Exact<ExportJob>> {
    return exact(await this.call(() => this.native.export(written(request), once?.idempotencyKey ?? null)));
  }

  /** Exports, the latest first. */
  async exports(question?: ExportsQuestion | null): Promise<Exact<ExportList>> {
    return exact(await this.call(() => this.native.exports(written(question ?? {}))));
  }

  /** An export, and how far it is. */
  async exportJob(id: string): Promise<Exact<ExportJob>> {
    return exact(await this.call(() => this.native.exportJob(id)));
  }

  /** An export again and again, half a second apart, until it is over; the last is `completed` or `failed`. */
  async *watchExport(id: string, signal?: AbortSignal | null): AsyncGenerator<Exact<ExportJob>, void, undefined> {
    for await (const job of repeated(500, signal, () => this.exportJob(id))) {
      yield job;
      if (job.status === 'completed' || job.status === 'failed') return;
    }
  }

  /** Goes on with exports that were under way when the store was last closed, and says how many; {@link createHandler} does so too. */
  resumeExports(): Promise<number> {
    return this.call(() => this.native.resumeExports());
  }

  /** Gives up an export that is not over; it is then `failed`, for the reason `cancelled`. */
  async cancelExport(id: string): Promise<Exact<ExportJob>> {
    return exact(await this.call(() => this.native.cancelExport(id)));
  }

  /** Copies the file of an export to a path, and gives its size in bytes; waits for one that is still written here. */
  saveExport(id: string, path: string, asking?: Asking | null): Promise<number> {
    return this.done(asking, (...how) => this.native.saveExport(id, path, ...how));
  }

  /** All cohorts by name. */
  async cohorts(): Promise<SavedCohort[]> {
    return exact(await this.call(() => this.native.cohorts()));
  }

  /**
   * Makes a cohort, a named set of users whose definition never changes: `{ users: [id] }`,
   * `{ did: event, atLeast: 1, last: '30d' }`, `{ profile: [filter] }`, `{ all: [] }`, `{ any: [] }` or `{ not: … }`.
   */
  createCohort(name: string, definition: CohortDefinition): Promise<void> {
    return this.call(() => this.native.createCohort(name, written(definition)));
  }

  /** Removes a cohort. */
  removeCohort(name: string): Promise<void> {
    return this.call(() => this.native.removeCohort(name));
  }

  /** Which events mean what: page views, conversions, errors, revenue, the default funnel. */
  async catalogue(): Promise<Exact<Catalogue>> {
    return exact(await this.call(() => this.native.catalogue()));
  }

  /** Replaces the catalogue; what is left out has its default for travel. */
  setCatalogue(catalogue: NewCatalogue): Promise<void> {
    return this.call(() => this.native.setCatalogue(written(catalogue)));
  }

  /** The dashboards that are one's own, shared or public, page by page. */
  async dashboards(list?: DashboardList | null): Promise<Exact<Dashboards>> {
    return exact(await this.call(() => this.native.dashboards(written(list ?? {}))));
  }

  /** Makes a dashboard. */
  async createDashboard(dashboard: NewDashboard, once?: Once | null): Promise<Exact<Dashboard>> {
    return exact(await this.call(() => this.native.createDashboard(written(dashboard), once?.idempotencyKey ?? null)));
  }

  /** Makes a dashboard of a template; `name`, `description` and `isPublic` stand in place of the template's own. */
  async createDashboardFrom(template: string, changes?: Partial<NewDashboard> | null): Promise<Exact<Dashboard>> {
    return exact(await this.call(() => this.native.createDashboardFrom(template, written(changes ?? {}))));
  }

  /** The templates that dashboards can be made of. */
  async dashboardTemplates(): Promise<Exact<Template[]>> {
    return exact(await this.call(() => this.native.dashboardTemplates()));
  }

  /** A dashboard. */
  async dashboard(id: string): Promise<Exact<Dashboard>> {
    return exact(await this.call(() => this.native.dashboard(id)));
  }

  /** Changes a dashboard: what is left out stays as it is. With a revision, only if it is still that one. */
  async updateDashboard(
    id: string,
    changes: Partial<NewDashboard>,
    revision?: number | null,
  ): Promise<Exact<Dashboard>> {
    return exact(await this.call(() => this.native.updateDashboard(id, written(changes), revision ?? null)));
  }

  /** Removes a dashboard. With a revision, only if it is still that one. */
  deleteDashboard(id: string, revision?: number | null): Promise<void> {
    return this.call(() => this.native.deleteDashboard(id, revision ?? null));
  }

  /** A dashboard's widgets with their data, over a range or as far back as each widget says, of what `filters` say. */
  async dashboardData(
    id: string,
    asked?: {
      startDate?: When | null;
      endDate?: When | null;
      timezone?: string | null;
      /** Properties with the values that they must have, each of them. */
      filters?: readonly { property: string; value: string | number | boolean }[] | null;
    } | null,
    asking?: Asking | null,
  ): Promise<Exact<WidgetData[]>> {
    return exact(await this.ask(asking, (...how) => this.native.dashboardData(id, written(asked ?? {}), ...how)));
  }

  /** With whom a dashboard is shared. */
  async dashboardSharing(id: string): Promise<Exact<Sharing>> {
    return exact(await this.call(() => this.native.dashboardSharing(id)));
  }

  /** Shares a dashboard with these users and roles and nobody else. */
  async shareDashboard(id: string, sharing: Sharing): Promise<Exact<Sharing>> {
    return exact(await this.call(() => this.native.shareDashboard(id, written(sharing))));
  }

  /** The alert rules and where they stand, page by page. */
  async alerts(list?: (Page & { search?: string | null }) | null): Promise<Exact<Alerts>> {
    return exact(await this.call(() => this.native.alerts(written(list ?? {}))));
  }

  /** Makes an alert rule; its questions are asked as whoever makes it. */
  async createAlert(rule: NewAlert): Promise<Exact<Alert>> {
    return exact(await this.call(() => this.native.createAlert(written(rule))));
  }

  /** An alert rule, and where it stands. */
  async alert(id: string): Promise<Exact<Alert>> {
    return exact(await this.call(() => this.native.alert(id)));
  }

  /** Changes an alert rule: what is left out stays as it is. With a revision, only if it is still that one. */
  async updateAlert(id: string, changes: Partial<NewAlert>, revision?: number | null): Promise<Exact<Alert>> {
    return exact(await this.call(() => this.native.updateAlert(id, written(changes), revision ?? null)));
  }

  /** Removes an alert rule. With a revision, only if it is still that one. */
  deleteAlert(id: string, revision?: number | null): Promise<void> {
    return this.call(() => this.native.deleteAlert(id, revision ?? null));
  }

  /**
   * Tells nobody of an alert rule for a while. An incident that outlasts it is told then, and so is that one ended of
   * which somebody was told before. `until` null ends a silence.
   */
  async silenceAlert(
    id: string,
    silence: { until?: When | null; for?: string | number | null; reason?: string | null },
  ): Promise<Exact<Alert>> {
    return exact(await this.call(() => this.native.silenceAlert(id, written(silence))));
  }

  /** Sends a test to all places that an alert rule tells. */
  async testAlert(id: string): Promise<Exact<{ reading: Record<string, unknown>; verdict: string; messages: number }>> {
    return exact(await this.call(() => this.native.testAlert(id)));
  }

  /** What became of an alert rule, the latest first. */
  async alertHistory(id: string, list?: Page | null): Promise<Exact<AlertEvent[]>> {
    return exact(await this.call(() => this.native.alertHistory(id, written(list ?? {}))));
  }

  /** Evaluates the alert rules that are due, each once for the same instant; a server does so by itself. */
  async evaluateAlerts(): Promise<Exact<Evaluated>> {
    return exact(await this.call(() => this.native.evaluateAlerts()));
  }

  /** What became of all alert rules since an instant, the earliest first: for whoever looks again and again. */
  async alertNews(asked: { since: When; limit?: number | null; offset?: number | null }): Promise<Exact<AlertNews[]>> {
    return exact(await this.call(() => this.native.alertNews(written(asked))));
  }

  /** One's notifications, the latest first. */
  async notifications(list?: (Page & { unread?: boolean | null }) | null): Promise<Exact<Notifications>> {
    return exact(await this.call(() => this.native.notifications(written(list ?? {}))));
  }

  /** Marks a notification as read. */
  readNotification(id: string): Promise<void> {
    return this.call(() => this.native.readNotification(id));
  }

  /** Notifications on their way out, the latest first. */
  async deliveries(list?: (Page & { state?: Delivery['state'] | null }) | null): Promise<Exact<Deliveries>> {
    return exact(await this.call(() => this.native.deliveries(written(list ?? {}))));
  }

  /** Puts a notification that was given up on its way again. */
  retryDelivery(id: string): Promise<void> {
    return this.call(() => this.native.retryDelivery(id));
  }

  /**
   * Delivers notifications that are due by `send`: by e-mail, to a webhook or to Slack, as their channel says. One that throws is tried
   * again later; one that gives a reason to give up never is. At most `limit` are taken, 8 by default.
   */
  async deliverNotifications(
    send: (due: DueNotification) => Promise<void | { giveUp: string }> | void | { giveUp: string },
    limit?: number | null,
  ): Promise<DeliveryReport> {
    const report = { delivered: 0, failed: 0, givenUp: 0 };
    const letters = await this.call(() => this.native.takeNotifications(limit ?? 8));
    await Promise.all(
      letters.map(async (letter) => {
        const given = await attempt(send, exact<DueNotification>(letter.text));
        report[given.outcome] += 1;
        await this.call(() => this.native.attempted(letter, given.why, given.outcome === 'givenUp'));
      }),
    );
    return report;
  }

  /** The record of who did what, the latest entry first. */
  async audit(list?: AuditList | null): Promise<Exact<Audit>> {
    return exact(await this.call(() => this.native.audit(written(list ?? {}))));
  }

  /** Where the record ends now: kept elsewhere, it shows later that nothing up to here was rewritten. */
  async auditAnchor(): Promise<Exact<Anchor>> {
    return exact(await this.call(() => this.native.auditAnchor()));
  }

  /** Checks the record, also against anchors that were kept elsewhere, and names the first entry that is not what it was. */
  async verifyAudit(anchors?: readonly Anchor[] | null, asking?: Asking | null): Promise<Exact<Verification>> {
    const question = written({ anchors: anchors ?? null });
    return exact(await this.ask(asking, (...how) => this.native.verifyAudit(question, ...how)));
  }

  /** Takes tokens of the HTTP server back before they expire: one by its id, or those of a subject (`*` is everybody). */
  revoke(
    tokens:
      | { readonly jti: string; readonly until?: When | null }
      | { readonly subject: string; readonly issuedBefore?: When | null; readonly until?: When | null },
  ): Promise<void> {
    return this.call(() => this.native.revoke(written(tokens)));
  }

  /** What whoever this handle acts for may do, by name. */
  async permissions(): Promise<Permission[]> {
    return exact<Permission[]>(await this.call(() => this.native.permissions()));
  }
}

type Attempt = { outcome: keyof DeliveryReport; why: string | null };

async function attempt(
  send: (due: DueNotification) => Promise<void | { giveUp: string }> | void | { giveUp: string },
  due: DueNotification,
): Promise<Attempt> {
  try {
    const given = await send(due);
    return given ? { outcome: 'givenUp', why: given.giveUp } : { outcome: 'delivered', why: null };
  } catch (error) {
    return { outcome: 'failed', why: error instanceof Error ? error.message : String(error) };
  }
}
