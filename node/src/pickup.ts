/** Bookings by the day of service. */

import type { AnsweredCondition, AnsweredFilter, Condition, Filter, Property } from './filter.js';
import type { CohortPeriod } from './retention.js';
import type { Quantiles, Rate, Stamp, Weekday, When } from './query.js';

/** How the bookings of a range of service dates came in: they count by the day of their service, which may lie in the future. */
export interface PickupQuestion {
  /** The first day of service. */
  startDate: When;
  /** The last day of service, included whole; an instant is excluded. */
  endDate: When;
  /** The IANA zone of dates and days; `UTC` by default. */
  timezone?: string | null;
  /** The events that are bookings; null for any, the catalogue's conversions where it is absent. */
  booking?: Condition;
  /** The events that take a booking of the same user back; none by default. */
  cancellation?: Condition;
  /** The property of both that says which booking it is; `bookingId` by default. */
  bookingId?: string | null;
  /** The property of bookings that says when the service is; `serviceDate` by default. */
  serviceDate?: string | null;
  /** The property that says how long it is: a number of nights, or the date on which it ends. */
  lengthOfStay?: string | null;
  /** The period of service dates; `daily` by default. */
  period?: CohortPeriod | null;
  /** The first day of weeks; `monday` by default. */
  weekStart?: Weekday | null;
  /** How many days before the service the books are looked at, ascending, at most 100. */
  daysBefore?: readonly number[] | null;
  /** Only events that meet all of these are seen. */
  filters?: readonly Filter[] | null;
  /** Nothing after this instant is seen; now by default. */
  asOf?: When | null;
}

/** What is known of some services. */
export interface PickupFigures {
  /** Bookings made. */
  booked: number;
  /** Those of them that were taken back. */
  cancelled: number;
  /** The others. */
  onTheBooks: number;
  /** The distinct users behind each. */
  users: { booked: number; cancelled: number; onTheBooks: number };
  /** Cancelled of booked. */
  cancellationRate: Rate;
  /** The local days from the booking to the service, of those on the books. */
  leadTime: Quantiles;
  /** The nights of those on the books that say it. */
  lengthOfStay: Quantiles;
  /** The books as they stood at the end of the local day so many days before each service. */
  pickup: OnTheBooks[];
}

/** The books so many days before service. */
export interface OnTheBooks {
  /** How many local days before; 0 is the end of the day of service. */
  daysBefore: number;
  /** Bookings made by then and not taken back by then. */
  count: number;
  /** Whether that time has come for all services. */
  complete: boolean;
}

/** The services of one period. */
export interface PickupPeriod extends PickupFigures {
  /** Its first instant. */
  start: string;
  /** The first instant after it. */
  end: string;
  /** Whether the range cuts it. */
  partial: boolean;
}

/** How the bookings of a range of service dates came in. */
export interface PickupAnswer extends Stamp {
  /** The periods of service dates that the range touches, in order. */
  periods: PickupPeriod[];
  /** All of them together. */
  total: PickupFigures;
  /** Bookings whose event says no date of service; they are in no figure. */
  withoutServiceDate: number;
  booking: AnsweredCondition;
  cancellation: AnsweredCondition;
  bookingId: Property;
  serviceDate: Property;
  lengthOfStay: Property | null;
  /** What all events seen say. */
  filters?: AnsweredFilter[];
  period: CohortPeriod;
  weekStart: Weekday;
  startDate: string;
  endDate: string;
  timezone: string;
  asOf: string;
}

/** A number of an answer: whose users; those of one period, or of all. */
export interface PickupCell {
  readonly cell: 'booked' | 'cancelled' | 'on_the_books';
  /** The first instant of the period. */
  readonly period?: When | null;
}
