/** Batches of events, each answered. */

import type { FieldError } from './error.js';
import type { When } from './query.js';

/** An event; what is none of these fields becomes a property. */
export interface NewEvent {
  /** Who did it; null where that is not known. */
  userId?: string | number | null;
  /** The device or visitor that did it. */
  anonymousId?: string | null;
  /** The session it belongs to. */
  sessionId?: string | null;
  /** What was done. */
  name: string;
  /** When it happened. */
  ts: When | number;
  /** Its id: an event of an id that is stored already is a duplicate. */
  eventId?: string | null;
  /** Its place among the client's events, where times are equal. */
  clientSeq?: number | null;
  /** When it was received; now by default. */
  receivedAt?: When | null;
  /** When the client sent it, by which its clock is corrected. */
  sentAt?: When | null;
  /** What else is known of it. */
  properties?: { readonly [name: string]: unknown } | null;
  readonly [property: string]: unknown;
}

/** What became of each event of a batch: accepted + duplicates + refused = sent. */
export interface IngestReport {
  /** How many events were sent. */
  sent: number;
  /** How many were new. */
  accepted: number;
  /** How many were there already, by their id. */
  duplicates: number;
  /** How many were not valid. */
  refused: number;
  /** How many of the refused were kept aside, because their time lies in the future. */
  quarantined: number;
  /** How many events of the same id and another content were kept out. */
  conflicts: number;
  /** How many stored events gave way to one of these. */
  replaced: number;
  /** The answer to each event, in the order sent. */
  events: EventAnswer[];
  /** The data version afterwards; unchanged where nothing was new. */
  version: number;
}

/** What became of one event. */
export type EventAnswer =
  | {
      /** Its place in the batch, from 0. */
      index: number;
      /** Stored and durable, or there before. */
      status: 'accepted' | 'duplicate';
    }
  | {
      /** Its place in the batch, from 0. */
      index: number;
      /** Not valid. */
      status: 'refused';
      /** Everything wrong with it. */
      errors: FieldError[];
    };
