/** What became of events that were not stored, and people who are to be forgotten. */

/** How the intake of events does since the store was opened. */
export interface IngestStatus {
  /** Events that wait to be stored. */
  waitingEvents: number;
  /** Batches that wait to be stored. */
  waitingBatches: number;
  /** With so many events waiting, further batches are turned away. */
  capacity: number;
  /** Batches that were turned away for want of capacity, or of space on the disk. */
  turnedAway: number;
  /** Batches answered. */
  batches: number;
  /** Changes of the store that they took: one serves all batches that wait. */
  commits: number;
  /** Events that were new. */
  accepted: number;
  /** Events that were there already. */
  duplicates: number;
  /** Events that were not valid. */
  refused: number;
  /** How many were refused for which reason, by the code of the first thing wrong with each. */
  refusedByCode: { [code: string]: number };
  /** How long the last batch took from its arrival until it was durable, in seconds. */
  lag: number | null;
  /** Where events come from, and how fresh they are. */
  sources: { [source: string]: Freshness };
  /** Bytes of the log beside the file that the file does not hold without its own log yet. */
  logBytes: number;
  /** Batches that could not be stored and were put beside the file. */
  parked: number;
  /** Why the last batch could not be stored. */
  failing?: string;
  /** What was found in the log when the store was opened. */
  recovery: Recovery;
  /** What the store holds; null where that cannot be read. */
  stored: Stored | null;
  /** Why what the store holds cannot be read. */
  trouble?: string;
}

/** What a store holds, and what lies beside it. */
export interface Stored {
  /** Events. */
  events: number;
  /** When the latest of them happened. */
  latest: string | null;
  /** Events that were refused but kept. */
  quarantined: number;
  /** Files beside it that hold events and cannot be read. */
  setAside: string[];
  /** Bytes of memory that the engine holds, its cache among them. */
  engineBytes: number;
}

/** How fresh the events of a source are. */
export interface Freshness {
  /** How many events were accepted. */
  accepted: number;
  /** When the last batch was received. */
  receivedAt: string | null;
  /** When the latest accepted event happened. */
  latest: string | null;
  /** What a source that is followed has left, in its own measure: bytes, messages or rows. */
  behind?: number;
  /** Why it cannot be read. */
  trouble?: string;
}

/** What was found in the log when the store was opened. */
export interface Recovery {
  /** Events of the log that the file did not hold, and holds now. */
  replayed: number;
  /** Bytes of a batch whose writing was never finished and which nobody was told is stored. */
  cut: number;
  /** Where damaged bytes were put; somebody should look at them. */
  setAside?: string;
  /** Batches of the log that could not be stored and were put beside the file. */
  parked: number;
}

/** How a batch of events is taken. */
export interface IngestOptions {
  /** Where the events come from, for the freshness of each source; at most 100 characters, `embedded` by default. */
  readonly source?: string | null;
  /** A key by which the same batch is known when it is sent again within 24 hours: it is answered as before and stored once. */
  readonly idempotencyKey?: string | null;
}

/** Events that were refused but kept. */
export interface Quarantine {
  /** The events, the latest received first. */
  events: QuarantinedEvent[];
  /** How many there are in all. */
  total: number;
  limit: number;
  offset: number;
  hasMore: boolean;
}

/** An event that was refused but kept. */
export interface QuarantinedEvent {
  /** The id to release it by: the hash of its content. */
  id: string;
  /** The event as it came. */
  event: { [field: string]: unknown };
  /** Why it was refused. */
  code: string;
  /** The same as a sentence. */
  message: string;
  receivedAt: string;
}

/** Which of them to list. */
export interface QuarantineList {
  /** 1 to 1,000; 100 by default. */
  readonly limit?: number | null;
  readonly offset?: number | null;
}

/** What became of batches that had been put aside. */
export interface ParkedReport {
  /** Events of them that were new. */
  accepted: number;
  /** Batches that still cannot be stored. */
  left: number;
}

/** What was erased of the users asked for. */
export interface ErasureReport {
  /** How many of the ids were known. */
  users: number;
  /** How many were not, or no longer. */
  unknown: number;
  /** Events that counted for them, from whichever device. */
  events: number;
  /** Rows of profiles, aliases, merges and the platform's other tables. */
  records: number;
  /** Refused events that had been kept aside. */
  held: number;
  /** Cohorts whose lists named them. */
  cohorts: number;
  /** What was shared with them, told to them, or theirs beside the events. */
  kept: number;
  /** Files beside the store that hold events and cannot be read: nobody knows whose they are. */
  setAside: string[];
}
