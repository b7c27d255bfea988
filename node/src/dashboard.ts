/** Custom dashboards, and the record of who did what. */

import type { FunnelAnswer } from './funnel.js';
import type { When } from './query.js';
import type { RealtimeMetric } from './realtime.js';

/** What a widget shows. */
export type WidgetType = 'metric' | 'chart' | 'table' | 'map' | 'funnel';

/** What a widget's data are about. */
export type DataSource = 'user_events' | 'trips' | 'bookings' | 'reviews' | 'revenue' | 'performance';

/** One part of a dashboard. */
export interface Widget {
  type: WidgetType;
  title: string;
  dataSource: DataSource;
  /** How it is shown; must be appropriate for its type. */
  visualization: string;
  /** What else there is to say; keys that are not known are kept. */
  config: object;
}

/** A dashboard to be made. */
export interface NewDashboard {
  /** 1 to 100 characters. */
  name: string;
  /** At most 500 characters. */
  description?: string | null;
  /** 1 to 20 widgets. */
  widgets: readonly Widget[];
  /** Whether every admin may read it; false by default. */
  isPublic?: boolean | null;
}

/** A dashboard. */
export interface Dashboard {
  _id: string;
  name: string;
  description: string;
  widgets: Widget[];
  isPublic: boolean;
  ownerId: string;
  createdBy: string;
  createdAt: string;
  updatedAt: string;
  /** Grows by 1 with every change. */
  revision: number;
}

/** Which dashboards to list. */
export interface DashboardList {
  /** Something in their name or description, taken literally. */
  search?: string | null;
  /** 1 to 50; 20 by default. */
  limit?: number | null;
  offset?: number | null;
  sortBy?: 'createdAt' | 'name' | null;
  sortOrder?: 'asc' | 'desc' | null;
}

/** One page of a list of dashboards. */
export interface Dashboards {
  dashboards: Dashboard[];
  total: number;
  limit: number;
  offset: number;
  hasMore: boolean;
}

/** A dashboard ready to be made. */
export interface Template {
  key: string;
  name: string;
  description: string;
  widgets: Widget[];
}

/** Data of a widget: figures of the platform's tables, or the answer of a word. */
export type WidgetAnswer =
  | {
      kind: 'figure';
      /** The number; null where there is none. Money is exact decimal text. */
      value: number | string | null;
      /** How many rows it is computed from. */
      count: number;
      /** The number for as long a time before. */
      previous: number | string | null;
    }
  | {
      kind: 'series';
      buckets: { start: string; end: string }[];
      /** A series a group; one without a name where rows are not grouped. */
      series: { group: string | null; values: (number | string | null)[] }[];
      /** Whether there are more groups than are shown. */
      truncated: boolean;
      /** How many groups there are. */
      total: number;
    }
  | {
      kind: 'rows';
      rows: { group: string | null; value: number | string | null; count: number }[];
      truncated: boolean;
      total: number;
    }
  | ({ kind: 'realtime' } & RealtimeMetric)
  | ({ kind: 'funnel' } & FunnelAnswer);

/** One widget's data, or why there are none. */
export interface WidgetData {
  widget: number;
  type: WidgetType;
  title: string;
  dataSource: DataSource;
  visualization: string;
  startDate: string | null;
  endDate: string | null;
  /** Its `kind` says what they are. */
  data?: WidgetAnswer;
  error?: { code: string; message: string };
}

/** With whom a dashboard is shared. */
export interface Sharing {
  users?: { id: string; access: 'view' | 'edit' }[];
  roles?: { role: string; access: 'view' | 'edit' }[];
}

/** Which entries of the record to list. */
export interface AuditList {
  who?: string | null;
  /** Such as `dashboard.update`, or `dashboard` for all of that group. */
  action?: string | null;
  object?: string | null;
  outcome?: 'allowed' | 'refused' | 'failed' | null;
  /** Only entries from then on. */
  from?: When | null;
  /** Only entries before then. */
  to?: When | null;
  limit?: number | null;
  offset?: number | null;
}

/** Who did what, when, from where, with which outcome and why. */
export interface AuditEntry {
  seq: number;
  at: string;
  who: string;
  role: string;
  origin: string;
  requestId: string;
  action: string;
  object: string;
  outcome: 'allowed' | 'refused' | 'failed';
  reason: string;
  hash: string;
}

/** One page of the record. */
export interface Audit {
  entries: AuditEntry[];
  total: number;
  limit: number;
  offset: number;
  hasMore: boolean;
}

/** Where the record ended at some instant. */
export interface Anchor {
  /** The number of its last entry. */
  seq: number;
  /** The hash of that. */
  hash: string;
  at: string;
}

/** What checking the record found. */
export interface Verification {
  entries: number;
  head: string;
  /** How many anchors say the same. */
  anchors?: number;
  /** The first entry that is not what it was. */
  broken: { seq: number; reason: string } | null;
}
