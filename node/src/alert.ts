/** Alerts and notifications. */

import type { Metric } from './realtime.js';
import type { Question } from './words.js';

/** What an alert rule looks at. */
export type AlertSource =
  | { metric: Metric; timeRange?: 'last_5_minutes' | 'last_15_minutes' | 'last_hour' | null }
  | (Question & {
      /**
       * So many complete days before the evaluation; of a funnel, unless only `/entered` or `/matured/…` is looked at,
       * the last whose entries have had their whole window by then.
       */
      lastDays?: number | null;
      /** Where the number is in the answer, as a JSON pointer; `seconds` for how long the answer took. */
      value: string;
      low?: string | null;
      high?: string | null;
    })
  | {
      system: 'freshness';
      /** Whose events count, by the name that `ingestStatus` has; those of all sources by default. */
      source?: string | null;
    }
  | { system: 'export_failures' | 'failures' };

/** What an alert rule looks for. */
export type AlertCondition =
  | { type: 'threshold'; above?: number | null; below?: number | null; recover?: number | null }
  | { type: 'change'; by: number; direction?: Direction | null; against?: 'previous' | 'week_before' | null }
  | { type: 'anomaly'; direction?: Direction | null }
  | { type: 'band'; against?: 'previous' | 'week_before' | null }
  | { type: 'no_data' };

type Direction = 'up' | 'down' | 'either';

/** Where notifications go. */
export type AlertChannel =
  | { type: 'in_app'; users?: readonly string[] | null; roles?: readonly string[] | null }
  | { type: 'webhook'; url: string }
  | { type: 'slack'; url: string }
  | { type: 'email'; to: readonly string[] };

/** An alert rule to be made. */
export interface NewAlert {
  name: string;
  source: AlertSource;
  condition: AlertCondition;
  severity?: 'info' | 'warning' | 'critical' | null;
  /** `{ every: '5m' }`, or `{ at: '09:00', days: ['monday'] }`; every minute by default. */
  schedule?:
    | { every: string | number; timezone?: string | null }
    | { at: string; days?: readonly string[] | null; timezone?: string | null }
    | null;
  /** So many evaluations in a row must find it; 1 by default. */
  for?: number | null;
  /** So many in a row must find it clear; 1 by default. */
  clearFor?: number | null;
  coolDown?: string | number | null;
  group?: string | null;
  channels?: readonly AlertChannel[] | null;
  maintenance?:
    readonly { days?: readonly string[] | null; from: string; to: string; timezone?: string | null }[] | null;
  enabled?: boolean | null;
}

/** An alert rule, and where it stands. */
export interface Alert extends NewAlert {
  _id: string;
  ownerId: string;
  createdAt: string;
  updatedAt: string;
  revision: number;
  phase: 'ok' | 'pending' | 'firing' | 'resolved';
  evaluatedAt: string | null;
  incident: { openedAt: string; notified: boolean; reopened: number; clearedAt: string | null } | null;
  silencedUntil: string | null;
  silence: string | null;
  reading: Record<string, unknown> | null;
}

/** One page of alert rules. */
export interface Alerts {
  alerts: Alert[];
  total: number;
  limit: number;
  offset: number;
  hasMore: boolean;
}

/** Something that became of an alert rule. */
export interface AlertEvent {
  at: string;
  event: string;
  details: Record<string, unknown>;
}

/** Something that became of one of all alert rules. */
export interface AlertNews extends AlertEvent {
  /** The rule by its id. */
  alert: string;
}

/** What an evaluation of alert rules came to. */
export interface Evaluated {
  evaluated: number;
  failed: number;
  opened: number;
  messages: number;
}

/** A notification in one's list. */
export interface Notification {
  _id: string;
  title: string;
  body: Record<string, unknown>;
  createdAt: string;
  read: boolean;
}

/** One page of that list. */
export interface Notifications {
  notifications: Notification[];
  total: number;
  unread: number;
  limit: number;
  offset: number;
  hasMore: boolean;
}

/** A notification on its way out. */
export interface Delivery {
  _id: string;
  channel: AlertChannel;
  title: string;
  body: Record<string, unknown>;
  createdAt: string;
  state: 'waiting' | 'sent' | 'dead';
  attempts: number;
  nextAt: string | null;
  error?: string;
}

/** A notification that is due, for whoever delivers it. */
export interface DueNotification {
  _id: string;
  /** Where it is to go. */
  channel: AlertChannel;
  /** A line for people. */
  title: string;
  /** What it is about. */
  body: Record<string, unknown>;
  createdAt: string;
  /** How often it was tried. */
  attempts: number;
}

/** What became of notifications that were due. */
export interface DeliveryReport {
  delivered: number;
  /** Will be tried again, ten times over a day and a half. */
  failed: number;
  /** Will never arrive. */
  givenUp: number;
}

/** One page of those. */
export interface Deliveries {
  deliveries: Delivery[];
  total: number;
  limit: number;
  offset: number;
  hasMore: boolean;
}

/** Which of a list. */
export interface Page {
  /** 1 to 100; 20 by default. */
  limit?: number | null;
  offset?: number | null;
}
