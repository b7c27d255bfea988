/** What the numbers mean, in the words of the documentation. */
export interface Definition {
  title: string
  text: string[]
  rules?: string
}

export const DEFINITIONS: Record<string, Definition> = {
  funnel: {
    title: 'Funnel',
    text: [
      'Users with a first step in the range. Each later step is a distinct event, not earlier than the one before, within the window of the first (elapsed time, both ends included).',
      'The best chain of a user counts, from any entry. Later steps may fall after the range.',
      'The interval is Wilson’s, at 95%.',
    ],
    rules: 'F1 to F5',
  },
  matured: {
    title: 'Matured rate',
    text: ['The same funnel, of entries whose whole window is over. It does not move any more, except by late data.'],
    rules: 'F5',
  },
  breakdown: {
    title: 'By a property',
    text: ['Each in the group of the value that the chosen step of their chain has; the greatest groups, and all others together. Steps are shares of the greatest first step, so that groups can be held against each other.'],
    rules: 'F11',
  },
  open: { title: 'Open', text: ['Users who have not converted but still can: the window of one of their entries is not over.'], rules: 'F5' },
  chainRevenue: {
    title: 'Worth',
    text: ['What the events of the chains are worth that are reported of each, in the base currency: of those who converted, and of all.'],
  },
  timeToConvert: {
    title: 'Time to convert',
    text: ['From the first to the last step of the chain that is reported of each user who converted; exact quantiles. Never longer than the window.'],
    rules: 'F13',
  },
  dropOff: {
    title: 'Drop-off',
    text: [
      'Who stopped at a step and whose window is over; what they did next; and which events on the way separate them from those who went on.',
      'Differences carry their 95% interval (Newcombe). Probabilities are adjusted for all that were tried (Benjamini–Hochberg).',
    ],
  },
  compare: {
    title: 'Comparison',
    text: ['Each group against all others, for the whole funnel and for each step, of entries whose window is over. The same test as for drop-offs.'],
  },
  retention: {
    title: 'Retention',
    text: [
      'Users by the local day, week or month of their first start event ever (or of every start); the share with a return event in exactly the n-th period after it.',
      'A cell counts only those for whom its period is over; it is hatched while that is not everyone. The last row pools cells in which it is.',
      'By the rules of another program, periods that are not over count as they stand; they are hatched all the same.',
    ],
    rules: 'R1 to R9',
  },
  journey: {
    title: 'Journeys',
    text: [
      'The events of a user, or of a session, in order. Start and End frame a path; where the range or the number of steps cuts it, “Goes on” stands in their place.',
      'At every step what comes in goes out; Other keeps the sums exact.',
      'A session that began before the range, and goes on in it, is followed from where the range begins; Engagement counts sessions by when they begin, and so has a few fewer.',
    ],
    rules: 'P1, P2',
  },
  paths: {
    title: 'Top paths',
    text: ['The sequences of so many nodes, one right after the other, that occur most often; how many people took them, how often, and what share of all sequences of that length they are. The time is from the first node to the last.'],
    rules: 'P1',
  },
  exits: {
    title: 'Nodes and exits',
    text: ['For each node the people who were there, how often, and how many paths begin and end with it. The exit rate is the share of its occurrences that are the last of a path; paths that the range cuts count for neither.'],
    rules: 'P2',
  },
  loops: { title: 'Loops', text: ['Who left a node and came back to it within the same path, how often, and how many steps and how much time lay between, on average.'], rules: 'P2' },
  activeUsers: { title: 'Active users', text: ['Users with at least one event in a local day, week or month. Periods that the range cuts are hatched.'], rules: 'T1 to T4' },
  stickiness: {
    title: 'Stickiness',
    text: ['Users active on exactly, and on at least, k local days of the range, of all who were active on one. DAU/MAU is the mean of daily users over the last 30 complete days, divided by the users of those days.'],
    rules: 'L2',
  },
  lifecycle: {
    title: 'Lifecycle',
    text: ['New: first event ever. Returning: active in the period before too. Resurrected: active before, but not in the period before. Dormant: active in the period before only. Active = new + returning + resurrected.'],
    rules: 'L1',
  },
  sessions: {
    title: 'Sessions',
    text: [
      'A new session begins after a pause of more than 30 minutes; midnight cuts none. A bounce has one event.',
      'Those are counted that begin in the range. Journeys follow every session with an event in it, so that they have a few more: those that began before the first day.',
    ],
    rules: 'L4',
  },
  heatMap: { title: 'Weekday and hour', text: ['Users active in each local hour of the week, over the whole range.'] },
  adoption: {
    title: 'Adoption',
    text: [
      'Of the users active in the range after they were exposed to a feature (first event ever or release, whichever is later), the share that uses it as often as is asked within the time that is chosen. Matured: of those for whom that time is over.',
      'The median time to adopt counts those who still can as not yet decided (Kaplan–Meier).',
    ],
    rules: 'L3',
  },
  breadth: {
    title: 'Breadth',
    text: ['People active in the range by how many different features they used, and by how often they used them all together.'],
    rules: 'L3',
  },
  risk: {
    title: 'Risk',
    text: [
      'The probability of no activity within the horizon, with the interval of how well it is known. Active days are counted of all days since the first activity.',
      'Reasons are what raises (▲) or lowers (▼) the risk of this person against the average, the strongest first; together they are the difference of their log odds.',
    ],
    rules: 'S7',
  },
  churnQuality: {
    title: 'How good the risks were',
    text: [
      'The model is learned without the latest horizon that has passed, and held against what came of it. The AUC is the share of pairs, one who left and one who stayed, whose risks are in the right order; 50% is chance.',
      'The squared error (Brier) is the mean of the squared differences between the risk and what came, 0 or 1; beside it that of giving everyone the average.',
    ],
    rules: 'S7',
  },
  nextAction: {
    title: 'Likely next',
    text: [
      'What somebody does next, if they do anything: the chance of each event after their last ones, from what followed the same in everybody’s history. Where that was seen seldom, shorter stretches count more.',
      'The interval is at 95%, by how often it was seen. Tried on the latest fifth of all actions, which it had not seen.',
    ],
    rules: 'S7',
  },
  person: { title: 'Somebody', text: ['All ids and devices that are known to be one person are counted as one. First and last seen are their first and latest event of all, in and out of the range.'], rules: 'I1 to I5' },
  often: { title: 'How often', text: ['All events of this person, ever, by name.'] },
  cohorts: { title: 'Cohorts', text: ['A fixed list of people, or a definition that is evaluated anew for every question. Chosen as a segment, only events of its members count.'] },
  topEvents: { title: 'Top in the window', text: ['What most people did, or looked at, from the beginning of the window to the last full minute; beside it how often.'] },
  insights: {
    title: 'What stands out',
    text: ['One sentence for each kind of question, asked anew for the range: how often people come, how far they get, where they stop, which features they use, which ways they take. Rates are at 95%.'],
  },
  churn: {
    title: 'Churn',
    text: ['The probability that somebody who was active lately is not active at all within the horizon, learned from what came of people at earlier dates, and tried on a later one that it had not seen.'],
    rules: 'S7',
  },
  forecast: {
    title: 'Forecast',
    text: [
      'What comes after the history, by the mean of models that see its weekdays, its trend and, where a country is given, its holidays.',
      'The interval holds what comes with the probability that it says, as far as the past can tell: where it held less from past days, it was widened.',
    ],
    rules: 'S6',
  },
  models: {
    title: 'Models',
    text: ['The models that the forecast is the weighted mean of, with their weights: each weighs the more, the smaller its errors were from past days. None of them sees what comes after its day.'],
    rules: 'S6',
  },
  calibration: {
    title: 'Probabilities',
    text: [
      'How often it came, against how often it was foretold. The squared error (Brier) is the mean of the squared differences between the probability and what came, 0 or 1.',
      'Off by: in each tenth of the probabilities, by how much the mean foretold differs from the share that came; the mean over the tenths, by how many fell in each.',
    ],
  },
  backtest: {
    title: 'Backtest',
    text: ['The same forecast made from past days, which saw nothing later, held against what came. Beside it the seasonal naive forecast, which repeats the last season: a forecast that is no better is not worth having.'],
    rules: 'S6',
  },
  whatIf: {
    title: 'What if',
    text: ['An event of yours with its days. Its effect is what the days behind, on which it took place, differ by from what was to be expected of them; the same is put on its days ahead.'],
    rules: 'S6',
  },
  feedback: {
    title: 'What came of it',
    text: [
      'What was foretold and kept under a name, held against what came: for each time the value foretold then, whatever was foretold later.',
      'The error is the sum of absolute errors over the sum of what came; the bias is what was expected less what came, on average. Intervals that are kept learn from it: they are computed at the level at which they held what they say.',
      'Whether errors have grown, or lie to one side, is tried by Page and Hinkley’s test: a sum that reaches its limit, here 1, raises an alarm.',
    ],
  },
  alerts: {
    title: 'Alerts',
    text: [
      'A rule reads its number again and again. It is pending until the number has been wrong for as long as the rule asks, then it fires, and tells once; it is resolved when the number is right again.',
      'A silenced rule goes on reading and tells nobody.',
    ],
  },
  exports: { title: 'Exports', text: ['A file of the range as it is known when it is written; later data do not change it. Rows are those of the file without its header. Files are kept for a day.'] },
  dashboards: { title: 'Dashboards', text: ['All that you may see: your own, those that are shared with you, and those that all admins see. What is searched for is part of a name or a description.'] },
  templates: { title: 'Templates', text: ['Ready-made dashboards of common questions. What is made of one is a dashboard of yours: whatever is changed in it leaves the template as it is.'] },
  told: { title: 'Told to you', text: ['What alerts, and what else tells you, have said inside travelsense, the latest first; not what went out by mail or to other programs. It is unread until you mark it.'] },
  alertHistory: {
    title: 'History',
    text: [
      'What became of the rule, the latest first: when it was changed, when its state changed, and whom it told. The value is what it read then, in the unit of its number.',
      'Attempts that reached nobody stand there too, with the reason.',
    ],
  },
  sources: { title: 'Sources', text: ['Where events come from other than by requests. Behind: how many messages wait in the source that have not been read yet, as far as it tells.'] },
  audit: { title: 'The record', text: ['Everything that was asked, changed or refused, by whom and why. Each entry holds the hash of the one before it: an entry that is changed or taken out breaks the chain.'] },
  catalogue: {
    title: 'Catalogue',
    text: ['Which events are page views, conversions, errors, revenue or uses of features: what the real-time metrics, adoption, revenue and forecasts count. It is kept with the events.'],
  },
  server: { title: 'Server', text: ['The data version grows with each write: equal versions give equal answers. The round trip is from this browser and back, every 5 seconds.'] },
  intake: {
    title: 'What comes in',
    text: [
      'Events that came since the server began: stored, come twice and stored once, or refused. Those that are refused but kept can be looked at and mended.',
      'An event is durable when it is on the disk; until then it waits, and the lag is how long the oldest has. Refused but kept are those in the store’s quarantine, of all time. A batch that could not be stored is put aside and tried again.',
    ],
  },
  widget: {
    title: 'Numbers of a widget',
    text: [
      'What the widget’s source has in the widget’s range: how many rows, or the measure of them that it names, in the order of their groups; by when things happened, in the report’s time zone.',
      'A single number is held against as long a time before. Behind a number of events are the people who did them, who can be fewer.',
    ],
  },
  anomaly: {
    title: 'Not as usual',
    text: ['A stretch that differs from the usual level of its hour of the week by more than chance does once in four weeks, and by at least 15%. It is told while it lasts.'],
    rules: 'S4',
  },
  active_users: { title: 'Active users', text: ['Distinct users with at least one event in the window.'] },
  page_views: { title: 'Page views', text: ['Events that the catalogue calls page views, in the window.'] },
  events_per_second: { title: 'Events a second', text: ['All events of the window, divided by its seconds.'] },
  conversion_rate: { title: 'Conversion rate', text: ['Of the users active in the window, those with an event that the catalogue calls a conversion.'] },
  error_rate: { title: 'Error rate', text: ['Of all events of the window, those that the catalogue calls errors.'] },
  revenue_per_minute: { title: 'Revenue a minute', text: ['The amounts of the window in the base currency, exact, less refunds, divided by its minutes.'] },
}
