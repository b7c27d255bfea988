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
