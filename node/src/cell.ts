/** The cells of answers: the numbers behind which there are users. */

import type { Property, PropertyValue } from './filter.js';
import type { JourneyNode } from './journey.js';
import type { CohortPeriod } from './retention.js';
import type { Weekday, When } from './query.js';

/** A number of a funnel, or that of a group of its breakdown, or of a bucket of its trend. */
export type FunnelCell = {
  /** The group of the breakdown. */
  readonly group?: { readonly kind: 'value' | 'not_set' | 'empty' | 'other'; readonly value?: unknown } | null;
  /** The first instant of the bucket. */
  readonly bucket?: When | null;
} & (
  | {
      /** Who entered, converted, did not but still can; and those whose whole window has passed. */
      readonly cell?: 'entered' | 'converted' | 'open' | 'matured_entered' | 'matured_converted';
    }
  | {
      /** Who got at least to a step, or stopped there. */
      readonly cell: 'reached' | 'dropped';
      /** The step, from 1. */
      readonly step: number;
    }
);

/** A number of drop-off points; of the whole funnel without a step. */
export type DropOffCell = {
  /** The step, from 1. */
  readonly step?: number | null;
} & (
  | {
      /** Who came to the step, stopped there, can still go on, or was last seen there. */
      readonly cell?: 'reached' | 'dropped' | 'open' | 'matured_reached' | 'matured_dropped' | 'exit';
    }
  | {
      /** Whose next event it was. */
      readonly cell: 'next';
      /** Its name. */
      readonly event: string;
    }
  | {
      /** Who has something, or lacks it. */
      readonly cell: 'factor';
      /** An event on the way, or a value of a property. */
      readonly factor:
        | { readonly event: string }
        | {
            readonly property: Property;
            readonly kind?: 'value' | 'not_set' | 'empty';
            readonly value?: PropertyValue | null;
          };
      /** Who lacks it; false by default. */
      readonly without?: boolean | null;
      /** Only those who went on, or did not; both by default. */
      readonly wentOn?: boolean | null;
    }
);

/** A number of compared groups. */
export interface CompareCell {
  /** The place of the group, from 0. */
  readonly group: number;
  /** Whether the rest is meant instead; false by default. */
  readonly rest?: boolean | null;
  /** Those who got to this step; those who entered by default. */
  readonly step?: number | null;
}

/** A number of a retention table. */
export interface RetentionCell {
  /** The first instant of the cohort's period. */
  readonly cohort: When;
  /** The column, from 0. */
  readonly column?: number | null;
  /** Who of them. */
  readonly who: 'cohort' | 'returned_in_start_period' | 'eligible' | 'retained' | 'not_retained' | 'returned_so_far';
  /** The place of the group of the breakdown, from 0. */
  readonly group?: number | null;
}

/** A number of journeys. */
export type JourneyCell =
  | {
      /** Who has a path, a transition, a sequence, one that is not shown, or the event that is looked around. */
      readonly cell?: 'users' | 'transitions' | 'other_transitions' | 'sequences' | 'other_sequences' | 'around';
    }
  | {
      /** Who was at a node, right before or after the event, or came back to the node. */
      readonly cell: 'node' | 'previous' | 'next' | 'self_loop' | 'return';
      /** The node. */
      readonly node: JourneyNode;
    }
  | { readonly cell: 'transition'; readonly from: JourneyNode; readonly to: JourneyNode }
  | { readonly cell: 'sequence'; readonly nodes: readonly JourneyNode[] }
  | { readonly cell: 'step' | 'matrix'; readonly step: number; readonly node: JourneyNode }
  | { readonly cell: 'link'; readonly step: number; readonly source: JourneyNode; readonly target: JourneyNode };

/** A number of engagement. */
export type EngagementCell =
  | { readonly cell: 'users' | 'sessions' }
  | { readonly cell: 'active_users'; readonly period: CohortPeriod; readonly start: When }
  | { readonly cell: 'stickiness'; readonly periods: number; readonly atLeast?: boolean | null }
  | { readonly cell: 'trailing'; readonly days: 7 | 30 }
  | {
      readonly cell: 'lifecycle';
      readonly start: When;
      readonly state: 'active' | 'new' | 'returning' | 'resurrected' | 'dormant';
    }
  | { readonly cell: 'heat_map'; readonly weekday: Weekday; readonly hour: number };

/** A number of adoption. */
export type AdoptionCell =
  | { readonly cell: 'active_users' | 'unused' }
  | {
      readonly cell: 'feature';
      readonly feature: string;
      readonly who: 'exposed' | 'adopters' | 'not_adopted' | 'open' | 'matured_exposed' | 'matured_adopters' | 'users';
    }
  | { readonly cell: 'first_uses'; readonly feature: string; readonly start: When }
  | { readonly cell: 'breadth'; readonly features: number; readonly from?: number | null };

/** The users of a difference: those that one question counts and the other does not, or that both count. */
export interface DifferenceCell {
  readonly users: 'only_a' | 'only_b' | 'both';
  /** Where the second question is the first with this one switch changed, the switch. */
  readonly switch?: string | null;
}

/** The users of a range of risks. */
export interface ChurnCell {
  readonly cell: 'risk';
  /** From this risk on, 0 to 1; 0 by default. */
  readonly from?: number | null;
  /** Up to it; 1 by default. */
  readonly to?: number | null;
}
