//! The schemas of answers. Objects may get more fields with later versions; those listed stay.

use serde_json::{Map, Value, json};
use travelsense::realtime::Metric;

use super::requests::{ACCESS, COHORT_PERIODS, FORMATS, METRICS, SEGMENTS, SOURCES, STATES, TYPES};
use super::schema::{
    about, count, instant, integer, list, named, nullable, number, object, one_of, open, text,
    text_of, truth,
};

/// By name.
pub(super) fn schemas() -> Map<String, Value> {
    [service(), words(), dashboards(), kept(), events()]
        .into_iter()
        .flatten()
        .map(|(name, schema)| (name.to_owned(), schema))
        .collect()
}

type Named = Vec<(&'static str, Value)>;

/// What surrounds every answer.
fn service() -> Named {
    let meta = || {
        [
            (
                "requestId",
                about(text(), "The id of the request, in the log too."),
            ),
            (
                "asOf?",
                about(instant(), "Nothing after this instant was seen."),
            ),
            ("timezone?", about(text(), "The zone of the range.")),
            (
                "dataVersion?",
                about(
                    count(),
                    "The answer holds at least the data of this version.",
                ),
            ),
            ("version", about(text(), "The version of the server.")),
        ]
    };
    let mut paged = object(meta());
    paged["properties"]["pagination"] = named("Pagination");
    paged["required"] = json!(["requestId", "version", "pagination"]);
    vec![
        ("Meta", object(meta())),
        ("PagedMeta", paged),
        (
            "Pagination",
            object([
                ("total", about(count(), "How many there are in all.")),
                (
                    "limit",
                    about(integer(1, 1_000), "At most so many were asked for."),
                ),
                (
                    "offset",
                    about(count(), "So many were left out before those of the page."),
                ),
                (
                    "hasMore",
                    about(truth(), "Whether there are more behind those of the page."),
                ),
            ]),
        ),
        (
            "Problem",
            about(
                object([
                    (
                        "type",
                        about(text(), "`urn:travelsense:problem:` and the code."),
                    ),
                    ("title", text()),
                    ("status", integer(400, 599)),
                    ("detail", about(text(), "A sentence for people.")),
                    ("instance", about(text(), "The path of the request.")),
                    ("code", about(text(), "Stable, for programs.")),
                    ("requestId", text()),
                    ("errors", list(named("FieldError"))),
                ]),
                "RFC 9457.",
            ),
        ),
        (
            "FieldError",
            object([
                (
                    "field",
                    about(text(), "Its path, such as `widgets[0].title`."),
                ),
                ("code", about(text(), "Stable, for programs.")),
                ("message", about(text(), "A sentence for people.")),
            ]),
        ),
        ("Health", object([("status", one_of(&["ok"]))])),
        (
            "Session",
            object([
                ("userId", text()),
                ("role", text()),
                (
                    "permissions",
                    about(list(text()), "What the role allows, by name."),
                ),
                (
                    "login",
                    about(
                        one_of(&["token", "host"]),
                        "Whether a token proves it, or the application that this is part of.",
                    ),
                ),
            ]),
        ),
        (
            "ObjectId",
            json!({ "type": "string", "pattern": "^[0-9a-f]{24}$" }),
        ),
    ]
}

/// The answers of words.
fn words() -> Named {
    let metrics = Metric::ALL.map(Metric::name);
    let figure = || nullable(number());
    vec![
        (
            "RealtimeMetric",
            object([
                ("_id", named("ObjectId")),
                ("resultHash", text()),
                ("dataVersion", text()),
                ("identityVersion", text()),
                ("tzdb", text()),
                ("metricName", super::schema::measure(&metrics)),
                ("value", about(figure(), "Null where its denominator is 0.")),
                ("timestamp", about(instant(), "The end of the window.")),
                ("metadata", named("RealtimeMetadata")),
                ("createdAt", instant()),
            ]),
        ),
        (
            "RealtimeMetadata",
            object([
                ("timeRange", text()),
                ("windowSeconds", count()),
                ("unit", about(text(), "What the value counts.")),
                ("refreshInterval", integer(5, 300)),
                ("k?", count()),
                ("n?", count()),
                (
                    "low?",
                    about(figure(), "The lower end of the Wilson 95 % interval."),
                ),
                ("high?", figure()),
                ("small?", about(truth(), "Whether `n` is below 30.")),
                ("exact?", about(text(), "Revenue as exact decimal text.")),
                ("baseCurrency?", text()),
                (
                    "previous",
                    about(figure(), "The figure of the window before."),
                ),
                (
                    "change",
                    about(figure(), "By how much of `previous` it differs."),
                ),
                (
                    "series",
                    list(object([("start", instant()), ("value", figure())])),
                ),
                ("anomaly?", named("RealtimeAnomaly")),
                ("unattributedEvents", count()),
            ]),
        ),
        (
            "RealtimeAnomaly",
            object([
                (
                    "status",
                    about(
                        one_of(&["learning", "too_few", "normal", "unusual"]),
                        "Whether the figure is as it usually is at its hour of the week.",
                    ),
                ),
                (
                    "at",
                    about(
                        instant(),
                        "The start of the last bucket that was looked at, which was complete.",
                    ),
                ),
                ("step", about(count(), "How long a bucket is, in seconds.")),
                (
                    "expected",
                    about(figure(), "What was expected of that bucket."),
                ),
                (
                    "interval",
                    nullable(about(
                        object([("low", number()), ("high", number())]),
                        "The 95 % interval of that; null where the figure never varies.",
                    )),
                ),
                (
                    "severity?",
                    about(
                        one_of(&["minor", "major", "critical"]),
                        "How bad it is at its worst, where it is unusual.",
                    ),
                ),
                ("direction?", one_of(&["up", "down"])),
                (
                    "since?",
                    about(instant(), "The start of the first bucket that deviates."),
                ),
            ]),
        ),
        (
            "UserBehaviorInsight",
            object([
                ("_id", named("ObjectId")),
                ("resultHash", text()),
                ("dataVersion", text()),
                ("identityVersion", text()),
                ("tzdb", text()),
                (
                    "insightType",
                    one_of(&[
                        "engagement_patterns",
                        "conversion_funnel",
                        "drop_off_points",
                        "feature_adoption",
                        "user_journeys",
                    ]),
                ),
                ("title", text()),
                ("description", about(text(), "What it says, in sentences.")),
                (
                    "data",
                    about(
                        open(),
                        "The figures behind it: the answer of the word it speaks of.",
                    ),
                ),
                (
                    "confidence",
                    about(
                        nullable(integer(0, 100)),
                        "The level of the intervals in percent; null where nobody was counted.",
                    ),
                ),
                ("segment", one_of(&SEGMENTS)),
                ("startDate", instant()),
                (
                    "endDate",
                    about(instant(), "The first instant after the range."),
                ),
                ("createdAt", instant()),
                ("updatedAt", instant()),
            ]),
        ),
        (
            "CohortAnalysisResult",
            object([
                ("_id", named("ObjectId")),
                ("resultHash", text()),
                ("dataVersion", text()),
                ("identityVersion", text()),
                ("tzdb", text()),
                ("cohortPeriod", one_of(&COHORT_PERIODS)),
                ("analysisMetric", text()),
                ("cohorts", list(named("RetentionCohort"))),
                ("average", list(object([("period", count())]))),
                ("segment", one_of(&SEGMENTS)),
                ("startDate", instant()),
                (
                    "endDate",
                    about(instant(), "The first instant after the range."),
                ),
                ("createdAt", instant()),
                (
                    "asOf",
                    about(instant(), "Nothing after this instant was seen."),
                ),
                ("timezone", text()),
                ("switches", open()),
            ]),
        ),
        (
            "PredictiveAnalyticsResult",
            object([
                ("_id", named("ObjectId")),
                ("resultHash", text()),
                ("dataVersion", text()),
                ("identityVersion", text()),
                ("tzdb", text()),
                ("predictionType", text()),
                (
                    "predictions",
                    list(object([
                        ("date", about(instant(), "The first instant of the bucket.")),
                        ("value", figure()),
                        ("lowerBound", figure()),
                        ("upperBound", figure()),
                        ("confidence", number()),
                    ])),
                ),
                (
                    "historicalData",
                    list(object([("date", instant()), ("value", figure())])),
                ),
                ("modelVersion", text()),
                ("confidenceLevel", number()),
                ("startDate", instant()),
                (
                    "endDate",
                    about(instant(), "The first instant after the range."),
                ),
                ("createdAt", instant()),
                (
                    "asOf",
                    about(instant(), "Nothing after this instant was seen."),
                ),
                ("horizon", count()),
                ("period", text()),
                ("timezone", text()),
                ("segment", one_of(&SEGMENTS)),
                (
                    "models",
                    list(object([("name", text()), ("share", number())])),
                ),
                (
                    "backtest",
                    nullable(about(
                        open(),
                        "The scores from past origins, of the model and of the seasonal naive forecast; bias is the sum of forecast less value over the sum of values.",
                    )),
                ),
                ("notes", open()),
                ("segments?", list(open())),
                ("unattributedEvents", count()),
            ]),
        ),
        (
            "RetentionCohort",
            object([
                (
                    "period",
                    about(instant(), "The first instant of the period."),
                ),
                ("size", about(count(), "How many users.")),
                (
                    "partial",
                    about(truth(), "Whether the range cuts the period."),
                ),
                ("returnedInStartPeriod", count()),
                (
                    "retention",
                    list(object([
                        ("period", about(count(), "Periods since the start.")),
                        ("value", figure()),
                        ("count", about(count(), "Users who returned.")),
                        (
                            "eligible",
                            about(count(), "Users for whom the period has fully elapsed."),
                        ),
                        ("complete", truth()),
                        ("partialCount", count()),
                        ("low", figure()),
                        ("high", figure()),
                    ])),
                ),
            ]),
        ),
        (
            "People",
            object([
                (
                    "total",
                    about(count(), "How many users the cell counts: its number."),
                ),
                ("offset", count()),
                ("hasMore", truth()),
                ("users", list(named("Person"))),
                ("asOf", instant()),
            ]),
        ),
        (
            "Person",
            object([
                ("userId", text()),
                ("anonymous", truth()),
                ("firstSeen", nullable(instant())),
                ("lastSeen", nullable(instant())),
                ("events", count()),
                ("plan", nullable(text())),
                ("properties", nullable(open())),
            ]),
        ),
        (
            "Profile",
            object([
                ("person", named("Person")),
                (
                    "ids",
                    about(
                        list(object([("id", text()), ("anonymous", truth())])),
                        "All ids that are this person, users before devices; of a device also the users whom it is known to be.",
                    ),
                ),
                (
                    "names",
                    about(
                        list(object([("name", text()), ("events", count())])),
                        "How often each event occurred, the most frequent first.",
                    ),
                ),
                (
                    "total",
                    about(
                        count(),
                        "How many events there are of the name asked for, or in all.",
                    ),
                ),
                ("offset", count()),
                ("hasMore", truth()),
                (
                    "events",
                    about(
                        list(object([
                            ("ts", instant()),
                            ("name", text()),
                            ("eventId", nullable(text())),
                            ("sessionId", nullable(text())),
                            ("amount", nullable(about(text(), "As decimal text."))),
                            ("currency", nullable(text())),
                            ("properties", nullable(open())),
                        ])),
                        "The latest first.",
                    ),
                ),
                ("asOf", instant()),
            ]),
        ),
        (
            "Cohort",
            object([
                ("name", text_of(1, 100)),
                ("definition", named("CohortDefinition")),
                ("createdAt", instant()),
            ]),
        ),
        ("CohortName", object([("name", text_of(1, 100))])),
        (
            "Catalogue",
            object([
                ("pageViews", list(text())),
                ("conversions", list(text())),
                ("errors", list(text())),
                (
                    "revenue",
                    object([
                        ("events", list(text())),
                        ("amount", about(text(), "The property with the amount.")),
                        ("currency", about(text(), "The property with the currency.")),
                    ]),
                ),
                ("features", list(text())),
                (
                    "defaultFunnel",
                    about(
                        list(json!({})),
                        "Names, lists of names, or null for any event.",
                    ),
                ),
                ("premiumPlans", list(text())),
                ("baseCurrency", text()),
            ]),
        ),
    ]
}

/// Dashboards and what belongs to them.
fn dashboards() -> Named {
    let widget = || {
        [
            ("type", one_of(&TYPES)),
            ("title", text_of(1, 100)),
            ("dataSource", one_of(&SOURCES)),
            ("visualization", text()),
            ("config", open()),
        ]
    };
    vec![
        (
            "CustomDashboard",
            object([
                ("_id", named("ObjectId")),
                ("name", text_of(1, 100)),
                ("description", text_of(0, 500)),
                ("widgets", list(object(widget()))),
                (
                    "isPublic",
                    about(truth(), "Whether every admin may read it."),
                ),
                ("ownerId", text()),
                ("createdBy", text()),
                ("createdAt", instant()),
                ("updatedAt", instant()),
                (
                    "revision",
                    about(
                        integer(1, i64::MAX),
                        "Grows by 1 with every change; its `ETag`.",
                    ),
                ),
            ]),
        ),
        (
            "WidgetData",
            object([
                (
                    "widget",
                    about(count(), "The widget's place on the dashboard, from 0."),
                ),
                ("type", one_of(&TYPES)),
                ("title", text()),
                ("dataSource", one_of(&SOURCES)),
                ("visualization", text()),
                ("startDate", nullable(instant())),
                ("endDate", nullable(instant())),
                ("data?", about(open(), "What its `kind` says.")),
                ("error?", about(open(), "Why there are no data.")),
            ]),
        ),
        (
            "Template",
            object([
                ("key", text()),
                ("name", text()),
                ("description", text()),
                ("widgets", list(object(widget()))),
            ]),
        ),
        (
            "SharedWith",
            object([
                (
                    "users",
                    list(object([("id", text()), ("access", one_of(&ACCESS))])),
                ),
                (
                    "roles",
                    list(object([("role", text()), ("access", one_of(&ACCESS))])),
                ),
            ]),
        ),
    ]
}

/// Exports and the record.
fn kept() -> Named {
    vec![
        (
            "DashboardExportJob",
            object([
                ("_id", named("ObjectId")),
                ("dashboardId?", named("ObjectId")),
                ("exportType", one_of(&["dashboard", "report", "dataset"])),
                ("format", one_of(&FORMATS)),
                (
                    "dateRange",
                    object([
                        ("startDate", instant()),
                        (
                            "endDate",
                            about(instant(), "The first instant after the range."),
                        ),
                        ("timezone", text()),
                    ]),
                ),
                ("metrics", list(one_of(&METRICS))),
                ("status", one_of(&STATES)),
                ("rows", about(count(), "How many rows have been written.")),
                (
                    "fileUrl",
                    about(nullable(text()), "Where its file is, while there is one."),
                ),
                ("fileSize", nullable(count())),
                ("createdBy", text()),
                ("createdAt", instant()),
                ("completedAt", nullable(instant())),
                (
                    "expiresAt",
                    about(nullable(instant()), "When its file is taken away."),
                ),
                ("failureReason?", text()),
            ]),
        ),
        (
            "Exports",
            object([
                ("exports", list(named("DashboardExportJob"))),
                ("total", count()),
                ("hasMore", truth()),
            ]),
        ),
        (
            "AuditEntry",
            object([
                ("seq", integer(1, i64::MAX)),
                ("at", instant()),
                ("who", about(text(), "Empty where nobody was proved.")),
                ("role", text()),
                ("origin", about(text(), "From where.")),
                ("requestId", text()),
                ("action", text()),
                ("object", text()),
                ("outcome", one_of(&["allowed", "refused", "failed"])),
                ("reason", text()),
                (
                    "hash",
                    about(text(), "Of all this and of the entry before."),
                ),
            ]),
        ),
        (
            "Verification",
            object([
                (
                    "entries",
                    about(count(), "How many entries are whole, from the first on."),
                ),
                ("head", about(text(), "The hash of the last of them.")),
                (
                    "broken",
                    about(
                        nullable(object([("seq", count()), ("reason", text())])),
                        "The first entry that is not what it was.",
                    ),
                ),
            ]),
        ),
    ]
}

/// The answers to events as they happen.
fn events() -> Named {
    vec![
        (
            "IngestReport",
            object([
                ("sent", about(count(), "How many events were sent.")),
                ("accepted", about(count(), "How many were new.")),
                (
                    "duplicates",
                    about(count(), "How many were there already, by their id."),
                ),
                ("refused", about(count(), "How many were not valid.")),
                (
                    "quarantined",
                    about(count(), "How many of the refused were kept aside."),
                ),
                (
                    "conflicts",
                    about(
                        count(),
                        "How many of the same id and another content were kept out.",
                    ),
                ),
                (
                    "replaced",
                    about(count(), "How many stored events gave way to one of these."),
                ),
                ("events", list(named("EventAnswer"))),
                ("version", about(count(), "The data version afterwards.")),
            ]),
        ),
        (
            "EventAnswer",
            object([
                ("index", about(count(), "Its place in the batch, from 0.")),
                ("status", one_of(&["accepted", "duplicate", "refused"])),
                ("errors?", list(named("FieldError"))),
            ]),
        ),
        (
            "IngestStatus",
            object([
                ("waitingEvents", count()),
                ("waitingBatches", count()),
                (
                    "capacity",
                    about(
                        count(),
                        "Batches are turned away while so many events wait.",
                    ),
                ),
                ("turnedAway", count()),
                ("batches", count()),
                ("commits", count()),
                ("accepted", count()),
                ("duplicates", count()),
                ("refused", count()),
                ("refusedByCode", open()),
                (
                    "lag",
                    about(
                        nullable(number()),
                        "Seconds from the arrival of the last batch until it was durable.",
                    ),
                ),
                (
                    "sources",
                    about(
                        open(),
                        "By source: `accepted`, `receivedAt`, `latest`; of those that are read from here `behind` and `trouble`.",
                    ),
                ),
                ("logBytes", count()),
                (
                    "parked",
                    about(count(), "Batches that could not be stored."),
                ),
                (
                    "failing?",
                    about(text(), "Why the last batch could not be stored."),
                ),
                ("recovery", open()),
                (
                    "stored",
                    nullable(object([
                        ("events", count()),
                        ("latest", nullable(instant())),
                        (
                            "quarantined",
                            about(count(), "Events that were refused but kept."),
                        ),
                        (
                            "setAside",
                            about(
                                super::schema::list(text()),
                                "Files beside the store that hold events and cannot be read.",
                            ),
                        ),
                        (
                            "engineBytes",
                            about(count(), "Memory that the engine holds, its cache among it."),
                        ),
                    ])),
                ),
                (
                    "trouble?",
                    about(text(), "Why what the store holds cannot be read."),
                ),
            ]),
        ),
        (
            "QuarantinedEvent",
            object([
                ("id", text()),
                ("event", open()),
                ("code", text()),
                ("message", text()),
                ("receivedAt", instant()),
            ]),
        ),
        (
            "ParkedReport",
            object([
                ("accepted", about(count(), "Events that were new.")),
                (
                    "left",
                    about(count(), "Batches that still cannot be stored."),
                ),
            ]),
        ),
    ]
}
