/** Opens a store, and asks it. */

import { fileURLToPath } from 'node:url';
import { Administration } from './admin.js';
import type { Page } from './alert.js';
import type { AdoptionAnswer, AdoptionQuestion } from './adoption.js';
import { answer, exact, type Answer, type Exact } from './answer.js';
import type { AnomaliesAnswer, AnomaliesQuestion } from './anomaly.js';
import type { Asking } from './asking.js';
import type {
  ChurnAnswer,
  ChurnQuestion,
  NextActionAnswer,
  NextActionQuestion,
  ValueAnswer,
  ValueQuestion,
} from './churn.js';
import type {
  CompareQuestion,
  Comparison,
  DifferenceQuestion,
  DropOffAnswer,
  DropOffQuestion,
  Explanation,
} from './difference.js';
import type { EngagementAnswer, EngagementQuestion } from './engagement.js';
import { awaited } from './error.js';
import type { IngestOptions } from './events.js';
import type { FunnelAnswer, FunnelQuestion } from './funnel.js';
import { importing, type Importing, type ImportOptions, type ImportSource } from './import.js';
import type { IngestReport, NewEvent } from './ingest.js';
import type { Insight, UserInsightsQuestion } from './insight.js';
import type { JourneyAnswer, JourneyQuestion } from './journey.js';
import type {
  Actuals,
  Feedback,
  FeedbackLog,
  FeedbackQuestion,
  Model,
  Models,
  NewModel,
  OutsidePredictions,
  ScoreQuestion,
  Scores,
} from './model.js';
import { native } from './native.js';
import type { People, PeopleQuestion, Person, Profile, ProfileQuestion } from './people.js';
import type { BacktestAnswer } from './forecast.js';
import type { PickupAnswer, PickupQuestion } from './pickup.js';
import type { PredictiveAnswer, PredictiveBacktestQuestion, PredictiveQuestion } from './predictive.js';
import type { When } from './query.js';
import { data, written } from './question.js';
import type { RealtimeMetric, RealtimeQuestion } from './realtime.js';
import { asked as retained, type RetentionAnswer, type RetentionQuestion } from './retention.js';
import { repeated } from './stream.js';
import type { Counted, Word, Words } from './words.js';

/** The words whose answers have charts. */
type Charted =
  | 'funnel'
  | 'drop_off'
  | 'compare'
  | 'explain_difference'
  | 'retention'
  | 'engagement'
  | 'adoption'
  | 'journey'
  | 'realtime'
  | 'anomalies'
  | 'detect_anomalies'
  | 'pickup'
  | 'predictive'
  | 'churn'
  | 'value'
  | 'next_action'
  | 'forecast'
  | 'backtest';

/** How to open a store of events. */
export interface OpenOptions {
  /** Whether to leave the file as it is, beside a process that writes or other readers; false by default. */
  readOnly?: boolean | null;
  /** How many threads to use; all cores by default. */
  threads?: number | null;
  /** The most bytes timelines may take while they are built; no limit by default. */
  memoryLimit?: number | null;
  /** How long a behavioural question may take before it is given up as `timed_out`: seconds, or text such as `30s`; no limit by default. */
  timeout?: number | string | null;
  /** An instant at which the store's clock stands still, for answers that can be repeated; the system's clock by default. */
  now?: When | null;
}

/**
 * Opens the store of events in a file, which is made where it is not there, or `:memory:` for one that ends with the
 * handle.
 *
 * @throws {@link TravelsenseError} where the file is held by another process, is no store, or is newer than this version.
 */
export async function open(path: string | URL, options?: OpenOptions | null): Promise<Analytics> {
  const file = path instanceof URL ? fileURLToPath(path) : path;
  return new Analytics(await awaited(() => native.open(written({ ...options, path: file }))));
}

/**
 * A store of events that answers behavioural questions. Every call runs off the main thread.
 *
 * `await using store = await open(…)` closes it at the end of the block.
 */
export class Analytics extends Administration {
  /**
   * Imports events, or rows of a platform's table, from a file (NDJSON, CSV, Parquet, Arrow IPC, told by its extension)
   * from Arrow IPC in memory, or from objects one by one, which are written into a temporary file first. All of it is kept or, where it
   * fails or is stopped, nothing. People are told apart and brought together by the tables `aliases` and `merges`.
   *
   * The promise's `progress` can be listened to with `for await`.
   *
   * Rows that are not valid are counted and listed in the report, and do not stop the others; with `strict` they do.
   */
  import(source: ImportSource, options?: ImportOptions | null): Importing {
    return importing(this.native, source, options ?? {}, (run) => this.call(run));
  }

  /** Takes a batch of events and says of each whether it was accepted, a duplicate or refused; a success is durable. */
  async ingest(events: readonly NewEvent[], options?: IngestOptions | null): Promise<Exact<IngestReport>> {
    const { source, idempotencyKey } = options ?? {};
    const plain = source == null && idempotencyKey == null;
    return exact(
      await this.call(() =>
        plain
          ? this.native.ingest(data(events, 'events'))
          : this.native.ingestBatch(data(events, 'events'), source ?? 'embedded', idempotencyKey ?? null),
      ),
    );
  }

  /** The version of all that is stored: it grows with every change of the events. */
  dataVersion(): Promise<number> {
    return this.call(() => this.native.dataVersion());
  }

  /** How far the users of a range get through a series of steps. Like every question it may be given a time limit and a signal. */
  async funnel(question: FunnelQuestion, asking?: Asking | null): Promise<Answer<FunnelAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.funnel(written(question), ...how)));
  }

  /** Where the users of a funnel stop, what they do next, and what separates them from those who go on. */
  async dropOff(question: DropOffQuestion, asking?: Asking | null): Promise<Answer<DropOffAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.dropOff(written(question), ...how)));
  }

  /** Whether the groups of a funnel differ, each from the rest, in the whole and at each step. */
  async compare(question: CompareQuestion, asking?: Asking | null): Promise<Answer<Comparison>> {
    return answer(await this.ask(asking, (...how) => this.native.compare(written(question), ...how)));
  }

  /** Why two questions have different answers: the switches that differ, what each does alone, and the users that differ. */
  async explainDifference(question: DifferenceQuestion, asking?: Asking | null): Promise<Answer<Explanation>> {
    return answer(await this.ask(asking, (...how) => this.native.explainDifference(written(question), ...how)));
  }

  /**
   * Asks any word by its name: what the word is decides what the question is and what is answered. `queryText` gives the exact text alone.
   */
  async query<W extends Word>(
    word: W,
    question: Words[W]['question'],
    asking?: Asking | null,
  ): Promise<Exact<Words[W]['answer']>> {
    return exact(await this.queryText(word, question, asking));
  }

  /** The same as JSON text, byte for byte what the other doors give. */
  queryText<W extends Word>(word: W, question: Words[W]['question'], asking?: Asking | null): Promise<string> {
    return this.ask(asking, (...how) => this.native.query(word, written(question), ...how));
  }

  /** How the bookings of a range of service dates came in: on the books, net of cancellations, by days before service. */
  async pickup(question: PickupQuestion, asking?: Asking | null): Promise<Answer<PickupAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.pickup(written(question), ...how)));
  }

  /** What of a metric was not as usual over a range. */
  async anomalies(question: AnomaliesQuestion, asking?: Asking | null): Promise<Answer<AnomaliesAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.anomalies(written(question), ...how)));
  }

  /**
   * The users behind a number: a word, its question, and the cell of its answer, for example
   * `{ cell: 'reached', step: 2 }`. `total` is the number itself, always.
   */
  async people(request: PeopleQuestion, asking?: Asking | null): Promise<Exact<People>> {
    return exact(await this.ask(asking, (...how) => this.native.people(written(request), ...how)));
  }

  /** One person with their events, the latest first: who it is that an id belongs to, and what they did. */
  async profile(id: string, asked?: ProfileQuestion | null): Promise<Exact<Profile>> {
    return exact(await this.call(() => this.native.profile(id, written(asked ?? {}))));
  }

  /** All users behind a number, one after the other; every two thousand of them the question is asked again. */
  async *allPeople(request: Counted, asking?: Asking | null): AsyncGenerator<Person, void, undefined> {
    for (let offset = 0; ; offset += PAGE) {
      const { users, hasMore } = await this.people({ ...request, limit: PAGE, offset }, asking);
      yield* users;
      if (!hasMore) return;
    }
  }

  /** The answer of a word as a chart in SVG that follows light and dark pages; of `churn` how well its probabilities were calibrated. */
  chart<W extends Charted>(word: W, question: Words[W]['question']): Promise<string> {
    return this.call(() => this.native.chart(word, written(question)));
  }

  /** Who comes back, by the period in which they started. */
  async retention(question: RetentionQuestion, asking?: Asking | null): Promise<Answer<RetentionAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.retention(written(retained(question)), ...how)));
  }

  /** How often users come, and when: active users, stickiness, lifecycle, sessions, heat map. */
  async engagement(question: EngagementQuestion, asking?: Asking | null): Promise<Answer<EngagementAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.engagement(written(question), ...how)));
  }

  /** Which features users take up, how soon and how many of them. */
  async adoption(question: AdoptionQuestion, asking?: Asking | null): Promise<Answer<AdoptionAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.adoption(written(question), ...how)));
  }

  /** Which ways users take: paths, transitions, what comes before and after an event, and where paths end. */
  async journey(question: JourneyQuestion, asking?: Asking | null): Promise<Answer<JourneyAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.journey(written(question), ...how)));
  }

  /** What comes after the history of a range: new users, revenue, bookings, churn or adoption, with intervals. */
  async predictive(question: PredictiveQuestion, asking?: Asking | null): Promise<Answer<PredictiveAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.predictive(written(question), ...how)));
  }

  /**
   * How the predictions of a range would have done from past origins of it, beside the seasonal naive forecast; a series for each
   * segment.
   */
  async backtest(question: PredictiveBacktestQuestion, asking?: Asking | null): Promise<Answer<BacktestAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.backtest(written(question), ...how)));
  }

  /** Which users are about to go away, how sure that is, and why. */
  async churn(question?: ChurnQuestion | null, asking?: Asking | null): Promise<Answer<ChurnAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.churn(written(question ?? {}), ...how)));
  }

  /** What customers will be worth: how often they are expected to buy, and for how much. */
  async value(question?: ValueQuestion | null, asking?: Asking | null): Promise<Answer<ValueAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.value(written(question ?? {}), ...how)));
  }

  /** What users will do next, together and one by one. */
  async nextAction(question?: NextActionQuestion | null, asking?: Asking | null): Promise<Answer<NextActionAnswer>> {
    return answer(await this.ask(asking, (...how) => this.native.nextAction(written(question ?? {}), ...how)));
  }

  /** What is happening right now: six figures over the last 5, 15 or 60 minutes. */
  async realtime(question?: RealtimeQuestion | null, asking?: Asking | null): Promise<Answer<RealtimeMetric[]>> {
    return answer(await this.ask(asking, (...how) => this.native.realtime(written(question ?? {}), ...how)));
  }

  /**
   * What is happening right now, again and again: every `refreshInterval` seconds, until the loop is left or the signal says so, whose
   * reason is then thrown.
   */
  watchRealtime(
    question?: Omit<RealtimeQuestion, 'asOf'> | null,
    signal?: AbortSignal | null,
  ): AsyncGenerator<Answer<RealtimeMetric[]>, void, undefined> {
    const every = 1_000 * (question?.refreshInterval ?? 30);
    return repeated(every, signal, () => this.realtime(question, { signal: signal ?? null }));
  }

  /** Has the real-time figures take in what arrived, so that whoever asks next does not wait for it. */
  refreshRealtime(): Promise<void> {
    return this.call(() => this.native.refreshRealtime());
  }

  /**
   * Judges whether the real-time figures are as they usually are at this hour of the week, for `realtime` to tell as
   * `metadata.anomaly`. Whoever serves many does so once a minute; the first time it learns from the six weeks before this one, and so once a day.
   */
  judgeRealtime(): Promise<void> {
    return this.call(() => this.native.judgeRealtime());
  }

  /** What stands out in how users behave over a range, in words and with the numbers behind them. */
  async userInsights(question: UserInsightsQuestion, asking?: Asking | null): Promise<Answer<Insight[]>> {
    return answer(await this.ask(asking, (...how) => this.native.userInsights(written(question), ...how)));
  }

  /**
   * The same store for somebody else of a role (`admin`, `analyst`, `viewer`): what they may not do is refused, and the record holds
   * their name. The file is closed once every handle of it is.
   */
  acting(id: string, role: string): Analytics {
    return new Analytics(this.native.acting(id, role));
  }

  /** Registers a model trained elsewhere from the bytes of its file: ONNX, XGBoost's JSON or UBJSON, LightGBM's text. */
  async registerModel(model: NewModel, file: Uint8Array): Promise<Exact<Model>> {
    return exact(await this.call(() => this.native.registerModel(written(model), file)));
  }

  /** All versions of all models, the latest first, page by page. */
  async models(list?: (Page & { search?: string | null }) | null): Promise<Exact<Models>> {
    return exact(await this.call(() => this.native.models(written(list ?? {}))));
  }

  /** A model by its name, which means the latest version, by `name@version` or by its id. */
  async model(model: string): Promise<Exact<Model>> {
    return exact(await this.call(() => this.native.model(model)));
  }

  /** Removes a version of a model; its number is not given again. */
  deleteModel(model: string): Promise<void> {
    return this.call(() => this.native.deleteModel(model));
  }

  /** What a model says of rows, or of the users of this store. */
  async score(question: ScoreQuestion, asking?: Asking | null): Promise<Exact<Scores>> {
    return exact(await this.ask(asking, (...how) => this.native.query('score', written(question), ...how)));
  }

  /** What became of what was foretold under a name. */
  async feedback(question: FeedbackQuestion, asking?: Asking | null): Promise<Exact<Feedback>> {
    return exact(await this.ask(asking, (...how) => this.native.query('feedback', written(question), ...how)));
  }

  /** The names under which something foretold is kept. */
  async feedbackLogs(): Promise<Exact<FeedbackLog[]>> {
    return exact(await this.call(() => this.native.feedbackLogs()));
  }

  /** Tells what came of what is kept under a name; how many values were new or otherwise than before. */
  async addActuals(name: string, actuals: Actuals): Promise<number> {
    return Number(await this.call(() => this.native.addActuals(name, written(actuals))));
  }

  /** Keeps predictions made elsewhere under a name, so that what comes can be joined; the id of the run. */
  addPredictions(name: string, predictions: OutsidePredictions): Promise<string> {
    return this.call(() => this.native.addPredictions(name, written(predictions)));
  }

  /** Forgets all that is kept under a name; how many runs it had. */
  async deleteFeedback(name: string): Promise<number> {
    return Number(await this.call(() => this.native.deleteFeedback(name)));
  }

  /** Builds what is derived from the stored events where it is not there yet, so that the first question does not wait for it. */
  warmUp(asking?: Asking | null): Promise<void> {
    return this.ask(asking, (...how) => this.native.warmUp(...how));
  }

  /** Throws away what is derived from the stored events and builds it anew, for whoever may import. */
  rebuild(asking?: Asking | null): Promise<void> {
    return this.done(asking, (...how) => this.native.rebuild(...how));
  }
}

/** So many users come at once. */
const PAGE = 2_000;
