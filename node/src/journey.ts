/** Which ways users take: paths, transitions, what comes before and after an event, and where paths end. */

import type { AnsweredCondition, AnsweredFilter, Condition, Filter, Property } from './filter.js';
import type { Range, Rate, Segment, Stamp, Window } from './query.js';

/** A place of a path: the name of a node, or one that stands for no event. */
export type JourneyNode = string | { reserved: 'other' | 'start' | 'end' | 'truncated' };

/** Events, by name and by what their properties say. */
export type JourneyCondition = Condition;

/** A part of the answer. */
export type JourneyPart = 'nodes' | 'sequences' | 'transitions' | 'sankey' | 'matrix' | 'loops';

/** The ways that users take through the nodes of a range. */
export interface JourneyQuestion extends Range {
  /** Only events that meet all of these are nodes. */
  filters?: readonly Filter[] | null;
  /** Only these events are nodes; all by default. */
  include?: readonly JourneyCondition[] | string | null;
  /** These events are no nodes. */
  exclude?: readonly JourneyCondition[] | string | null;
  /** The property whose value names a node; the event's name by default. */
  nodeBy?: Property | null;
  /** Names taken for one, where `*` stands for any text: a pattern, or a pattern and the name it gives. */
  rename?: readonly (string | { readonly match: string; readonly as: string })[] | null;
  /** Whose events make a path; `users` by default. */
  unit?: 'users' | 'sessions' | null;
  /** The longest pause within a session; 30 minutes by default. */
  sessionTimeout?: Window | null;
  /** Whether consecutive events of one node are one; false by default. */
  collapse?: boolean | null;
  /** At whose time such a node stands; that of the first by default. */
  collapsedAt?: 'first' | 'last' | null;
  /** The event that paths begin at. */
  start?: JourneyCondition;
  /** The event that paths end at. */
  end?: JourneyCondition;
  /** Which occurrences of it in a unit; the first by default. */
  occurrence?: 'first' | 'last' | 'each' | null;
  /** The most nodes of a path in `sankey` and `matrix`, 1 to 100; 10 by default. */
  maxSteps?: number | null;
  /** Which node is step 1; the last where paths end at an anchor, otherwise the first. */
  stepsFrom?: 'first' | 'last' | null;
  /** How many nodes the sequences have, 1 to 8; 3 by default. */
  length?: number | null;
  /** The most nodes, sequences and transitions shown, 1 to 1,000; 20 by default. */
  limit?: number | null;
  /** The most nodes shown of a step, 1 to 100; the rest is Other. 10 by default. */
  nodesPerStep?: number | null;
  /** The event whose neighbours are counted. */
  around?: JourneyCondition;
  /** The parts of the answer; all by default. */
  parts?: readonly JourneyPart[] | null;
  /** Whether medians are computed; true by default. */
  medians?: boolean | null;
  /** How many nodes are told that are likely to come next after each node and sequence shown, 0 to 10; none by default. */
  nextActions?: number | null;
  /** The rules that the switches are set by; `exact` by default. */
  preset?: 'exact' | 'posthog' | null;
}

/** Which ways the users of a range take. */
export interface JourneyAnswer extends Stamp {
  /** Users with a path. */
  users: number;
  /** Paths. */
  paths: number;
  /** Events that are nodes of units with a path. */
  events: number;
  /** The nodes with most users, then by name. */
  nodes?: { distinct: number; truncated: boolean; top: JourneyNodeCount[] };
  /** The sequences of `length` nodes that occur most often. */
  sequences?: {
    length: number;
    distinct: number;
    users: number;
    occurrences: number;
    truncated: boolean;
    top: JourneySequence[];
    other: { users: number; occurrences: number };
  };
  /** The transitions that occur most often, START, END and TRUNCATED among them. */
  transitions?: {
    distinct: number;
    users: number;
    occurrences: number;
    truncated: boolean;
    top: JourneyTransition[];
    other: { users: number; occurrences: number };
  };
  /** Paths step by step: what comes in at a node of a step goes out, ends or is cut. */
  sankey?: { columns: { step: number; nodes: JourneyStepNode[] }[]; links: JourneyLink[] };
  /** Where paths are at each step; one that has ended stays at what it ended with. */
  matrix?: { steps: number; rows: { node: JourneyNode; paths: number[]; users: number[] }[] };
  /** What comes right before and after an event, where that was asked for. */
  around?: {
    event: AnsweredCondition;
    users: number;
    occurrences: number;
    previous: JourneyNeighbour[];
    next: JourneyNeighbour[];
    truncated: boolean;
  };
  /** The nodes that paths come back to most often. */
  loops?: { distinct: number; truncated: boolean; top: JourneyLoop[] };
  /** Events without a user, which are in no path. */
  unattributedEvents: number;
  /** The first instant of the range. */
  startDate: string;
  /** The first instant after the range. */
  endDate: string;
  /** The zone of the range. */
  timezone: string;
  /** The users counted. */
  segment: Segment;
  /** Nothing after this instant was seen. */
  asOf: string;
  /** The name of the rules the numbers follow. */
  preset: string;
  /** How each switch stands, and what makes a node. */
  switches: JourneySwitches;
}

/** One node. */
export interface JourneyNodeCount {
  node: JourneyNode;
  /** Users who were at it. */
  users: number;
  /** How often paths were at it. */
  occurrences: number;
  /** How many events that is: more than occurrences where consecutive ones were collapsed. */
  events: number;
  /** How many paths begin at it. */
  starts: number;
  /** How many paths end at it. */
  ends: number;
  /** How many paths are cut after it. */
  truncated: number;
  /** Of its occurrences, those at which the path ends. */
  dropOff: Rate;
  /** What is likely to come next after it, the likeliest first, where asked for. */
  next?: JourneyLikely[];
}

/** What is likely to come next, by a Markov chain of the journey's own paths. */
export interface JourneyLikely {
  /** A node, or the end of the path. */
  node: JourneyNode;
  probability: number;
}

/** One sequence of nodes. */
export interface JourneySequence {
  nodes: JourneyNode[];
  users: number;
  occurrences: number;
  /** Of all sequences. */
  share: Rate;
  /** The mean time from its first node to its last. */
  meanSeconds: number | null;
  /** The exact median of these times; null where medians were not asked for. */
  medianSeconds: number | null;
  /** What is likely to come next after its last three nodes, the likeliest first, where asked for. */
  next?: JourneyLikely[];
}

/** From one node to the next. */
export interface JourneyTransition {
  from: JourneyNode;
  to: JourneyNode;
  users: number;
  transitions: number;
  /** Of all transitions from that node. */
  share: Rate;
  /** The mean time between the two; null where one is reserved. */
  meanSeconds: number | null;
  medianSeconds: number | null;
}

/** A node at a step. */
export interface JourneyStepNode {
  node: JourneyNode;
  users: number;
  paths: number;
  /** Of all paths. */
  share: Rate;
}

/** From a node at a step to the next node of the path. */
export interface JourneyLink {
  /** The step of the source. */
  step: number;
  source: JourneyNode;
  target: JourneyNode;
  users: number;
  transitions: number;
  /** The mean time between the two; null where one is reserved. */
  meanSeconds: number | null;
}

/** A node right before or after an event. */
export interface JourneyNeighbour {
  node: JourneyNode;
  users: number;
  occurrences: number;
  /** Of the event's occurrences. */
  share: Rate;
  meanSeconds: number | null;
}

/** How often paths come back to a node. */
export interface JourneyLoop {
  node: JourneyNode;
  /** Users who went from it right to it, and how often. */
  selfUsers: number;
  selfLoops: number;
  /** Users who came back to it by way of others, and how often. */
  returnUsers: number;
  returns: number;
  /** How many transitions a return takes, and how long, on average. */
  meanSteps: number | null;
  meanSeconds: number | null;
}

/** How each switch stands, whether a preset set it or the question. */
export interface JourneySwitches {
  unit: 'users' | 'sessions';
  sessionTimeout: number | null;
  filters: AnsweredFilter[];
  include: AnsweredCondition[];
  exclude: AnsweredCondition[];
  nodeBy: Property | null;
  rename: { match: string; as: string }[];
  collapse: boolean;
  collapsedAt: 'first' | 'last' | null;
  start: AnsweredCondition;
  end: AnsweredCondition;
  occurrence: 'first' | 'last' | 'each' | null;
  maxSteps: number;
  stepsFrom: 'first' | 'last';
  nodesPerStep: number;
  limit: number;
}
