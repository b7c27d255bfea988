/** The users behind a number, and named sets of users. */

import type { Condition, Filter } from './filter.js';
import type { When, Window } from './query.js';
import type { Counted } from './words.js';

/** Whose users are asked for, and which of them are shown. */
export type PeopleQuestion = Counted & {
  /** At most so many users, 1 to 10,000; 100 by default. */
  readonly limit?: number | null;
  /** How many to leave out before; none by default. */
  readonly offset?: number | null;
};

/** Who is of a cohort. */
export type CohortDefinition =
  | { readonly users: readonly string[] }
  | ({
      /** The events that count. */
      readonly did: Condition;
      /** How often at least; 1 by default. */
      readonly atLeast?: number | null;
      /** How often at most. */
      readonly atMost?: number | null;
    } & (
      | { readonly last?: Window | null }
      | { readonly startDate: When; readonly endDate: When; readonly timezone?: string | null }
    ))
  | { readonly profile: readonly Filter[] }
  | { readonly all: readonly CohortDefinition[] }
  | { readonly any: readonly CohortDefinition[] }
  | { readonly not: CohortDefinition };

/** Users that a cell counts, in the order of their ids. */
export interface People {
  /** How many users the cell counts: its number. */
  total: number;
  offset: number;
  /** Whether there are more behind those shown. */
  hasMore: boolean;
  users: Person[];
  asOf: string;
}

/** One user. */
export interface Person {
  userId: string;
  /** Whether it is the id of a device that nobody is known on. */
  anonymous: boolean;
  firstSeen: string | null;
  lastSeen: string | null;
  events: number;
  plan: string | null;
  properties: { [name: string]: unknown } | null;
}

/** Which events of somebody are asked for. */
export interface ProfileQuestion {
  /** Whether the id is a device's. */
  readonly anonymous?: boolean | null;
  /** Only events of this name. */
  readonly name?: string | null;
  /** At most so many events, 1 to 1,000; 50 by default. */
  readonly limit?: number | null;
  /** How many to leave out before, counted from the latest; none by default. */
  readonly offset?: number | null;
  /** Nothing after this instant is seen; now by default. */
  readonly asOf?: When | null;
}

/** Somebody, with some of their events. */
export interface Profile {
  person: Person;
  /** All ids that are this person, users before devices; of a device also the users whom it is known to be. */
  ids: { id: string; anonymous: boolean }[];
  /** How often each event occurred, the most frequent first. */
  names: { name: string; events: number }[];
  /** How many events there are of the name asked for, or in all. */
  total: number;
  offset: number;
  /** Whether there are earlier ones than those shown. */
  hasMore: boolean;
  /** Those shown, the latest first. */
  events: {
    ts: string;
    name: string;
    eventId: string | null;
    sessionId: string | null;
    /** As decimal text. */
    amount: string | null;
    currency: string | null;
    properties: { [name: string]: unknown } | null;
  }[];
  asOf: string;
}

/** A named set of users. */
export interface SavedCohort {
  name: string;
  definition: CohortDefinition;
  createdAt: string;
}
