/** What properties say: of events, of users, of cohorts. */

/** The moment whose profile, or whose members, count. */
export type Moment = 'at_event' | 'at_entry' | 'as_of';

/** Something that an event or its user has: a property by its name (`$session` is the session id), one of the user, or a cohort. */
export type Property =
  | string
  | {
      /** The property of the user's profile; `plan` is the profile's plan. */
      readonly user: string;
      /** The moment whose profile counts; the time of the event by default. */
      readonly at?: Moment;
    }
  | {
      /** The name of a cohort. */
      readonly cohort: string;
      /** The moment whose members count; as of the question by default. */
      readonly at?: Moment;
    };

/** A value that a property is compared with. */
export type PropertyValue = string | number | boolean | object;

/** A condition on one property. Each `not_…` is met wherever its counterpart is not, hence also where the property is missing. */
export type Filter = {
  /** The property. */
  readonly property: Property;
  /** Whether upper and lower case letters are the same; false by default. */
  readonly ignoreCase?: boolean;
  /** Reads both sides as numbers or as text; without it 10 and `'10'` differ. */
  readonly cast?: 'number' | 'text' | null;
} & (
  | {
      /** It is one of the values, or none of them; `is` by default. */
      readonly op?: 'is' | 'is_not';
      /** One value, or several. */
      readonly value: PropertyValue | readonly PropertyValue[];
    }
  | {
      /** It is text that contains one of the values, or in which one of the regular expressions matches; or it is not. */
      readonly op: 'contains' | 'not_contains' | 'matches' | 'not_matches';
      /** One text, or several. */
      readonly value: string | readonly string[];
    }
  | {
      /** It is below or above the value, number with number or text with text. */
      readonly op: 'lt' | 'lte' | 'gt' | 'gte';
      /** What it is compared with. */
      readonly value: string | number;
    }
  | {
      /** It is there and not null, or it is not. */
      readonly op: 'exists' | 'not_exists';
    }
);

/** A filter as answers hand it back, with everything said. */
export interface AnsweredFilter {
  /** The property. */
  property: Property;
  /** What is asked of it. */
  op:
    | 'is'
    | 'is_not'
    | 'contains'
    | 'not_contains'
    | 'matches'
    | 'not_matches'
    | 'exists'
    | 'not_exists'
    | 'lt'
    | 'lte'
    | 'gt'
    | 'gte';
  /** What it is compared with; empty for `exists` and `not_exists`. */
  value: PropertyValue[];
  /** Whether upper and lower case letters are the same. */
  ignoreCase: boolean;
  /** As what both sides are read. */
  cast: 'number' | 'text' | null;
}

/** Events of some names that meet all filters: a name, several names, null for any, or one of these with what properties say. */
export type Condition =
  | string
  | readonly string[]
  | null
  | {
      /** The names; any without. */
      readonly event?: string | readonly string[] | null;
      /** What their properties say; all must be met. */
      readonly where?: readonly Filter[];
    };

/** A condition as answers hand it back. */
export type AnsweredCondition = string | string[] | null | { event: string | string[] | null; where: AnsweredFilter[] };
