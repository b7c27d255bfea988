/** The users behind a number, and named sets of users. */

/** Whose users are asked for, and which of them are shown. */
export interface PeopleQuestion {
  /** What was asked, for example `funnel`. */
  word: string;
  /** Its question. */
  question: object;
  /** The cell of its answer, for example `{ cell: 'reached', step: 2 }`. */
  cell: object;
  /** At most so many users, 1 to 10,000; 100 by default. */
  limit?: number;
  /** How many to leave out before; none by default. */
  offset?: number;
}

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
  properties: object | null;
}

/** A named set of users. */
export interface SavedCohort {
  name: string;
  definition: object;
  createdAt: string;
}
