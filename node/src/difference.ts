/** What separates users: at each step of a funnel, between its groups, and between two questions. */

import type { FunnelCell, RetentionCell } from './cell.js';
import type { Property } from './filter.js';
import type { FunnelQuestion, FunnelSwitches } from './funnel.js';
import type { RetentionQuestion } from './retention.js';
import type { Preset, Rate, Segment, Selector, Stamp, Window } from './query.js';

/** The share of units with something against the share of those without it. */
export interface Contrast {
  with: Rate;
  without: Rate;
  /** `with − without`; null where either is of nobody, like every figure below. */
  difference: number | null;
  /** The lower end of its 95 % interval (Newcombe). */
  low: number | null;
  /** The upper end. */
  high: number | null;
  /** The phi coefficient, −1 to 1. */
  correlation: number | null;
  /** How likely such a difference is by chance (χ², or Fisher's exact test where counts are small). */
  pValue: number | null;
  /** The same, adjusted for all that are looked at together (Benjamini and Hochberg). */
  adjustedPValue: number | null;
}

/** A question about drop-off points: a funnel, and what is tried. */
export interface DropOffQuestion extends Omit<FunnelQuestion, 'sample'> {
  /** The properties whose values are tried; at most 32. */
  properties?: readonly Property[] | null;
  /** Whether the value of the entry counts, as by default, or that of the step. */
  propertiesAt?: 'entry' | 'step' | null;
  /** Events count for so long after the entry; for the whole window by default. */
  within?: Window | null;
  /** What fewer units have, or lack, is not tried; 30 by default. */
  minSupport?: number | null;
  /** At most so many next events and factors of each step, 1 to 1,000; 20 by default. */
  limit?: number | null;
}

/** Something units have or lack: an event on the way, or a value of a property. */
export interface Factor extends Contrast {
  event?: string;
  property?: Property;
  kind?: 'value' | 'not_set' | 'empty';
  value?: unknown;
  label: string;
}

/** What separates those who went on from those who did not. */
export interface Factors {
  /** How many were tried; the p-values are adjusted for so many. */
  tried: number;
  /** How many were not, for want of support. */
  untried: number;
  /** The strongest first. */
  factors: Factor[];
}

/** Those who came to one step. */
export interface DropOffStep {
  step: number;
  event: Selector;
  reached: number;
  dropped: number;
  /** Those of the dropped that can still go on. */
  open: number;
  /** The same of units whose window has passed; all below is of these. */
  matured: { reached: number; dropped: number; rate: Rate };
  /** The first events of the stopped after the last of their chain. */
  next: { event: string; rate: Rate }[];
  other: Rate;
  /** Those without a further event within the window. */
  exit: Rate;
  factors: Factors;
}

/** Where the units of a funnel stop, and what separates them from those who went on. */
export interface DropOffAnswer extends Stamp {
  steps: DropOffStep[];
  /** The whole funnel: converters against the rest. */
  conversion: { entered: number; converted: number; rate: Rate; factors: Factors };
  properties: Property[];
  propertiesAt: 'entry' | 'step';
  within: number | null;
  minSupport: number;
  window: number;
  startDate: string;
  endDate: string;
  timezone: string;
  segment: Segment;
  asOf: string;
  preset: string;
  switches: FunnelSwitches;
}

/** A funnel whose groups are compared: those of its `breakdown`, or segments and cohorts. */
export interface CompareQuestion extends Omit<FunnelQuestion, 'sample'> {
  /** Segments and cohorts that are compared, where no breakdown is. */
  between?: readonly (Segment | { readonly cohort: string })[] | null;
}

/** One group against the rest. */
export interface Compared {
  kind: 'segment' | 'cohort' | 'value' | 'not_set' | 'empty' | 'other';
  value: unknown;
  label: string;
  conversion: Contrast;
  /** Each required step but the first: who got this far of those who got to the one before. */
  steps: (Contrast & { step: number; event: Selector })[];
}

/** Each group of a funnel against the rest. */
export interface Comparison extends Stamp {
  groups: Compared[];
  /** Units of several groups. */
  shared: number;
  properties?: Property[];
  by?: string | { step: number };
  window: number;
  startDate: string;
  endDate: string;
  timezone: string;
  segment: Segment;
  asOf: string;
  preset: string;
  switches: FunnelSwitches;
}

/** Two questions of one word, or one question under two presets. */
export type DifferenceQuestion =
  | ({
      /** The word; `funnel` by default. */
      readonly word?: 'funnel' | null;
      /** The number whose users are compared; by default the converters. */
      readonly cell?: FunnelCell | null;
    } & Differing<FunnelQuestion>)
  | ({
      /** The word. */
      readonly word: 'retention';
      /** The number whose users are compared. */
      readonly cell?: RetentionCell | null;
    } & Differing<RetentionQuestion>);

/** Two questions, or one under two presets. */
export type Differing<Q> =
  { readonly a: Q; readonly b: Q } | { readonly question: Q; readonly presets: readonly [a: Preset, b: Preset] };

/** The users that two questions count. */
export interface DifferingUsers {
  a: number;
  b: number;
  both: number;
  onlyA: number;
  onlyB: number;
}

/** A switch that differs. */
export interface SwitchDifference {
  switch: string;
  /** The rules of its meaning. */
  rules: string[];
  /** What it decides. */
  sentence: string;
  a: unknown;
  b: unknown;
  /** The numbers of the first question with this switch alone changed; null where it cannot be. */
  numbers: object | null;
  users: DifferingUsers | null;
  /** Why it cannot be changed alone. */
  errors?: { field: string; code: string; message: string }[];
}

/** Why two questions have different answers. */
export interface Explanation extends Stamp {
  word: string;
  cell: unknown;
  a: { question: object; numbers: object };
  b: { question: object; numbers: object };
  users: DifferingUsers;
  switches: SwitchDifference[];
}
