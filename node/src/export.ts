/** Exports: answers as files. */

import type { AlertChannel } from './alert.js';
import type { When } from './query.js';

/** A metric that an export can be limited to. */
export type ExportMetric =
  | 'active_users'
  | 'page_views'
  | 'events_per_second'
  | 'conversion_rate'
  | 'error_rate'
  | 'revenue_per_minute'
  | 'retention_rate';

/** What to export, of which time, as what. */
export interface ExportRequest {
  /** The dashboard whose widgets are exported. */
  dashboardId?: string | null;
  /**
   * `dashboard` for the widgets of a dashboard (without one, for the figures of the moment), `report` for the figures of
   * the range, the funnel and retention, `dataset` for events, one a row.
   */
  exportType: 'dashboard' | 'report' | 'dataset';
  format: 'csv' | 'json' | 'xlsx' | 'pdf';
  /** The time it is of; a date at its end is included whole. */
  dateRange: { startDate: When; endDate: When; timezone?: string | null };
  /** The only metrics it holds; all by default. */
  metrics?: readonly ExportMetric[] | null;
  /** What the widgets of the dashboard are narrowed to, as for `dashboardData`. */
  filters?: readonly { property: string; value: string | number | boolean }[] | null;
  /** Each widget over its own range, as the dashboard shows it, and not over `dateRange`. */
  ownRanges?: boolean | null;
  /** Who is told when it is complete or has failed, beside whoever asks. */
  notify?: readonly AlertChannel[] | null;
}

/** An export: the specification's Dashboard Export Job. */
export interface ExportJob {
  _id: string;
  dashboardId?: string;
  exportType: ExportRequest['exportType'];
  format: ExportRequest['format'];
  dateRange: { startDate: string; endDate: string; timezone: string };
  metrics: ExportMetric[];
  status: 'pending' | 'processing' | 'completed' | 'failed';
  /** How many rows have been written. */
  rows: number;
  /** Where a server gives the file, while there is one. */
  fileUrl: string | null;
  fileSize: number | null;
  createdBy: string;
  createdAt: string;
  completedAt: string | null;
  /** When the file is taken away. */
  expiresAt: string | null;
  failureReason?: string;
}

/** Which exports are listed. */
export interface ExportsQuestion {
  /** At most so many, 1 to 100; 20 by default. */
  limit?: number;
  /** How many to leave out before; none by default. */
  offset?: number;
  status?: ExportJob['status'];
}

/** One page of exports, the latest first. */
export interface ExportList {
  total: number;
  hasMore: boolean;
  exports: ExportJob[];
}
