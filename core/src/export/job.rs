//! The specification's Dashboard Export Job: what is kept of an export, and how it is told.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::Format;
use super::request::{ExportMetric, ExportRequest, ExportType};
use crate::error::{Error, Result};
use crate::metadata::{Document, Kind, ObjectId};
use crate::query::{Instant, Zone};

/// How long a file is kept after it was written: a day, in microseconds.
pub(crate) const KEPT: i64 = 86_400_000_000;

/// Where an export is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It waits for its turn.
    Pending,
    /// It is being written.
    Processing,
    /// Its file is there, until it expires.
    Completed,
    /// It was given up, for its `failureReason`.
    Failed,
}

impl Status {
    /// All four, in the order of a life.
    pub const ALL: [Self; 4] = [
        Self::Pending,
        Self::Processing,
        Self::Completed,
        Self::Failed,
    ];

    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing more will happen to it.
    pub fn is_over(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// An export: the specification's Dashboard Export Job, with fields of our own beside its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExportJob {
    /// Its id.
    #[serde(rename = "_id")]
    pub id: ObjectId,
    /// The dashboard, where it is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dashboard_id: Option<String>,
    /// What it holds.
    pub export_type: ExportType,
    /// What it is written as.
    pub format: Format,
    /// The time it is of.
    pub date_range: DateRange,
    /// The only metrics it holds; all where the list is empty.
    pub metrics: Vec<ExportMetric>,
    /// Where it is in its life.
    pub status: Status,
    /// How many rows have been written.
    pub rows: u64,
    /// Where its file is fetched, while there is one.
    pub file_url: Option<String>,
    /// The size of its file in bytes.
    pub file_size: Option<u64>,
    /// The id of the principal who asked for it.
    pub created_by: String,
    /// When it was asked for.
    pub created_at: Instant,
    /// When its file was complete.
    pub completed_at: Option<Instant>,
    /// When its file is taken away.
    pub expires_at: Option<Instant>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure_reason: Option<String>,
}

/// The range of an export.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DateRange {
    /// Its first instant.
    pub start_date: Instant,
    /// The first instant after it.
    pub end_date: Instant,
    /// Its zone.
    pub timezone: Zone,
}

/// Why an export is given up that nothing is wrong with: somebody wants it no more, or it would hold what was erased.
pub(crate) const CANCELLED: &str = "cancelled";
pub(crate) const ERASED: &str = "users were erased meanwhile; export it again";

/// What is kept of an export beside the columns of a document.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Body {
    request: Value,
    /// The store whose events it holds; nothing for those from before there was a name.
    #[serde(default)]
    home: String,
    role: String,
    rows: u64,
    file: Option<String>,
    size: Option<u64>,
    completed_at: Option<i64>,
    failure: Option<String>,
}

/// An export as it is kept.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Kept {
    /// What it is kept as.
    document: Document,
    body: Body,
    /// What was asked for.
    pub(crate) request: ExportRequest,
}

impl Kept {
    /// A new export that waits for its turn.
    pub(crate) fn new(
        (id, at): (ObjectId, Instant),
        (owner, role): (&str, &str),
        home: String,
        request: ExportRequest,
    ) -> Self {
        let body = Body {
            request: json!({
                "dashboardId": request.dashboard_id,
                "exportType": request.export_type,
                "format": request.format,
                "dateRange": { "startDate": request.range.start, "endDate": request.range.end,
                    "timezone": request.range.zone },
                "metrics": request.metrics,
                "filters": request.filters,
                "ownRanges": request.own_ranges,
                "notify": request.notify,
            }),
            role: role.to_owned(),
            home,
            ..Body::default()
        };
        let document = Document {
            kind: Kind::Export,
            id,
            owner: owner.to_owned(),
            name: String::new(),
            sought: String::new(),
            state: Status::Pending.name().to_owned(),
            // Those who manage access may see every export.
            public: true,
            revision: 1,
            created_at: at,
            updated_at: at,
            body: String::new(),
        };
        Self {
            document,
            body,
            request,
        }
    }

    /// An export as it was kept.
    pub(crate) fn read(document: Document) -> Result<Self> {
        let body: Body = serde_json::from_str(&document.body).map_err(Error::internal)?;
        // What was not in the future then is not now.
        let request = ExportRequest::parse(&body.request, document.created_at)?;
        Ok(Self {
            document,
            body,
            request,
        })
    }

    /// It as it is kept from now on.
    pub(crate) fn document(&self) -> Result<Document> {
        Ok(Document {
            body: serde_json::to_string(&self.body).map_err(Error::internal)?,
            ..self.document.clone()
        })
    }

    pub(crate) fn id(&self) -> ObjectId {
        self.document.id
    }

    pub(crate) fn owner(&self) -> &str {
        &self.document.owner
    }

    /// The role of whoever asked, when they asked.
    pub(crate) fn role(&self) -> &str {
        &self.body.role
    }

    pub(crate) fn created_at(&self) -> Instant {
        self.document.created_at
    }

    pub(crate) fn status(&self) -> Status {
        let all = Status::ALL.into_iter();
        let mut named = all.filter(|s| s.name() == self.document.state);
        named.next().unwrap_or(Status::Failed)
    }

    /// The name of its file, while it has one that has not expired.
    pub(crate) fn file(&self, now: Instant) -> Option<&str> {
        let is_there = self.expires_at().is_some_and(|at| now < at);
        self.body.file.as_deref().filter(|_| is_there)
    }

    /// Whether it is of the store of that name.
    pub(crate) fn is_of(&self, home: &str) -> bool {
        self.body.home.is_empty() || self.body.home == home
    }

    /// Whether its file has this name.
    pub(crate) fn has_file(&self, name: &str) -> bool {
        self.body.file.as_deref() == Some(name)
    }

    fn turn(&mut self, status: Status, at: Instant) {
        self.document.state = status.name().to_owned();
        self.document.revision += 1;
        self.document.updated_at = at;
    }

    /// It is being written.
    pub(crate) fn process(&mut self, at: Instant) {
        self.turn(Status::Processing, at);
    }

    /// Its file, of this name and size, is complete.
    pub(crate) fn complete(&mut self, (file, size, rows): (String, u64, u64), at: Instant) {
        self.turn(Status::Completed, at);
        self.body.file = Some(file);
        self.body.size = Some(size);
        self.body.rows = rows;
        self.body.completed_at = Some(at.micros());
    }

    /// It is given up.
    pub(crate) fn fail(&mut self, reason: &str, at: Instant) {
        self.turn(Status::Failed, at);
        self.body.failure = Some(reason.to_owned());
    }

    /// Whether it was given up because something is wrong.
    pub(crate) fn is_broken(&self) -> bool {
        let wanted = [CANCELLED, ERASED];
        let reason = self.body.failure.as_deref().unwrap_or_default();
        self.status() == Status::Failed && !wanted.contains(&reason)
    }

    /// Its file is taken away; gives the name.
    pub(crate) fn expire(&mut self, at: Instant) -> Option<String> {
        self.turn(self.status(), at);
        self.body.file.take()
    }

    /// When its file is taken away.
    pub(crate) fn expires_at(&self) -> Option<Instant> {
        let at = self.body.completed_at?;
        Some(Instant::saturating_from_micros(at.saturating_add(KEPT)))
    }

    /// It as it is told now, having so many rows where it is being written.
    pub(crate) fn told(&self, rows: Option<u64>, now: Instant) -> ExportJob {
        let (document, body, request) = (&self.document, &self.body, &self.request);
        let span = request.range.span();
        let url = || format!("/api/analytics-dashboard/export/{}/file", document.id);
        ExportJob {
            id: document.id,
            dashboard_id: request.dashboard_id.clone(),
            export_type: request.export_type,
            format: request.format,
            date_range: DateRange {
                start_date: span.from,
                end_date: span.to,
                timezone: request.range.zone.clone(),
            },
            metrics: request.metrics.clone(),
            status: self.status(),
            rows: rows.unwrap_or(body.rows),
            file_url: self.file(now).map(|_| url()),
            file_size: body.size,
            created_by: document.owner.clone(),
            created_at: document.created_at,
            completed_at: body.completed_at.map(Instant::saturating_from_micros),
            expires_at: self.expires_at(),
            failure_reason: body.failure.clone(),
        }
    }
}
