//! Dashboards, kept and answered by the handle.

use serde_json::Value;

use super::Analytics;
use super::once::{self, Once};
use crate::access::{self, Permission, Principal};
use crate::audit::Act;
use crate::dashboard::{
    self, Access, Dashboard, Draft, List, Listed, Only, Patch, Plan, Sharing, Template, WidgetData,
};
use crate::error::{Error, ErrorKind, Result};
use crate::metadata::{Kind, ObjectId, documents};
use crate::query::Range;
use crate::query::fields::Fields;

impl Analytics {
    /// Makes a dashboard that belongs to who asks; see [`Draft::parse`].
    ///
    /// # Errors
    /// `forbidden` for a principal who may not make dashboards; `validation_failed` with every field error at once.
    pub fn create_dashboard(&self, who: &Principal, body: &Value) -> Result<Dashboard> {
        self.create_dashboard_once(who, body, None)
    }

    /// As `create_dashboard`, but with a key the same request that is sent again within 24 hours gives the dashboard that it made.
    ///
    /// # Errors
    /// As `create_dashboard`; `idempotency_key_reused` for a key that was given to another request; `not_found` where what it made
    /// was removed since.
    pub fn create_dashboard_once(
        &self,
        who: &Principal,
        body: &Value,
        key: Option<&str>,
    ) -> Result<Dashboard> {
        let once = Once::new(who, "dashboard", key, (body, self.now()));
        self.make(who, &once, || once::with_key(Draft::parse(body), key))
    }

    /// Makes a dashboard of a template; see [`Template::draft`].
    ///
    /// # Errors
    /// As `create_dashboard`; `not_found` for another key.
    pub fn create_dashboard_from(
        &self,
        who: &Principal,
        template: &str,
        body: &Value,
    ) -> Result<Dashboard> {
        let once = Once::new(who, "dashboard", None, (body, self.now()));
        self.make(who, &once, || Template::draft(template, body))
    }

    /// The templates that dashboards can be made of.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read dashboards.
    pub fn dashboard_templates(&self, who: &Principal) -> Result<Vec<Template>> {
        access::grant(who, Permission::ReadDashboards, ())?;
        Template::all()
    }

    /// The dashboards that are one's own, shared or public, page by page; see [`List::parse`].
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read dashboards; `validation_failed` with every field error at once.
    pub fn dashboards(&self, who: &Principal, asked: &Value) -> Result<Listed> {
        let act = Act::new("dashboard.list", "");
        self.seen(who, Permission::ReadDashboards, &act, |session| {
            List::parse(asked)?.find(session, who)
        })
    }

    /// A dashboard.
    ///
    /// # Errors
    /// In this order: `forbidden` for a principal who may not read dashboards; `validation_failed` for what is no id;
    /// `not_found`; `forbidden` for a dashboard that is neither one's own nor public, and not shared.
    pub fn dashboard(&self, who: &Principal, id: &str) -> Result<Dashboard> {
        let act = Act::new("dashboard.read", object(id));
        self.seen(who, Permission::ReadDashboards, &act, |session| {
            Ok(dashboard::open(session, who, id.parse()?, Access::View)?.0)
        })
    }

    /// A dashboard, for whoever puts what they do with it on record themselves.
    ///
    /// # Errors
    /// As `dashboard`.
    pub fn open_dashboard(&self, who: &Principal, id: &str) -> Result<Dashboard> {
        access::grant(who, Permission::ReadDashboards, ())?;
        crate::metadata::read(&*self.metadata()?, |session| {
            Ok(dashboard::open(session, who, id.parse()?, Access::View)?.0)
        })
    }

    /// Changes a dashboard: what is absent stays as it is; see [`Patch::parse`]. With a `revision`, only if it is still that one.
    ///
    /// # Errors
    /// In this order: `forbidden` for a principal who may not change dashboards; `validation_failed` for what is no id;
    /// `not_found`; `forbidden` for a dashboard that is not one's own, nor shared to edit; `revision_changed` where somebody else was
    /// faster; `validation_failed` with every field error at once.
    pub fn update_dashboard(
        &self,
        who: &Principal,
        id: &str,
        body: &Value,
        revision: Option<i64>,
    ) -> Result<Dashboard> {
        let act = Act::new("dashboard.update", object(id));
        let now = self.now();
        self.acted(who, Permission::ManageDashboards, act, |session, _| {
            let (found, has) = dashboard::open(session, who, id.parse()?, Access::Edit)?;
            same(&found, revision)?;
            let patch = Patch::parse(body)?;
            if has < Access::Own && patch.is_public.is_some_and(|p| p != found.is_public) {
                return Err(Error::new(
                    ErrorKind::Forbidden,
                    "forbidden",
                    "only its owner may make the dashboard public or private",
                ));
            }
            let changed = patch.apply(found, now);
            if !documents::update(session, &changed.document()?)? {
                return Err(Error::internal("a dashboard changed within a change"));
            }
            Ok(changed)
        })
    }

    /// Removes a dashboard. With a `revision`, only if it is still that one.
    ///
    /// # Errors
    /// As `update_dashboard`, but only for its owner.
    pub fn delete_dashboard(&self, who: &Principal, id: &str, revision: Option<i64>) -> Result<()> {
        let act = Act::new("dashboard.delete", object(id));
        self.acted(who, Permission::ManageDashboards, act, |session, _| {
            let (found, _) = dashboard::open(session, who, id.parse()?, Access::Own)?;
            same(&found, revision)?;
            documents::delete(session, Kind::Dashboard, found.id).map(|_| ())
        })
    }

    /// With whom a dashboard is shared; its owner may know.
    ///
    /// # Errors
    /// As `dashboard`.
    pub fn dashboard_sharing(&self, who: &Principal, id: &str) -> Result<Sharing> {
        let act = Act::new("dashboard.sharing", object(id));
        self.seen(who, Permission::ReadDashboards, &act, |session| {
            let (found, _) = dashboard::open(session, who, id.parse()?, Access::Own)?;
            documents::shares(session, Kind::Dashboard, found.id).map(Sharing::of)
        })
    }

    /// Shares a dashboard with these users and roles and nobody else; see [`Sharing::parse`].
    ///
    /// # Errors
    /// As `update_dashboard`, but only for its owner.
    pub fn share_dashboard(&self, who: &Principal, id: &str, body: &Value) -> Result<Sharing> {
        let act = Act::new("dashboard.share", object(id));
        self.acted(who, Permission::ManageDashboards, act, |session, _| {
            let (found, _) = dashboard::open(session, who, id.parse()?, Access::Own)?;
            let shares = Sharing::parse(body)?.shares();
            documents::share(session, Kind::Dashboard, found.id, &shares)?;
            documents::shares(session, Kind::Dashboard, found.id).map(Sharing::of)
        })
    }

    /// A dashboard's widgets with their data, over `startDate`, `endDate` and `timezone` or, without them, as far back as each
    /// widget says, of what `filters` say, see [`Only::parse`]. A widget that cannot be answered says why, and the others are answered all the same.
    ///
    /// # Errors
    /// As `dashboard`; `validation_failed` with all that is wrong with the range.
    pub fn dashboard_data(
        &self,
        who: &Principal,
        id: &str,
        asked: &Value,
    ) -> Result<Vec<WidgetData>> {
        let act = Act::new("dashboard.data", object(id));
        self.on_record(who, Permission::ReadAnalytics, &act, || {
            let found = self.open_dashboard(who, id)?;
            self.widgets_data(who, &found.widgets, asked)
        })
    }

    /// The data of widgets, as `dashboard_data` gives them.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read; `validation_failed` with all that is wrong with the range.
    pub fn widgets_data(
        &self,
        who: &Principal,
        widgets: &[dashboard::Widget],
        asked: &Value,
    ) -> Result<Vec<WidgetData>> {
        access::grant(who, Permission::ReadAnalytics, ())?;
        let (range, only) = self.narrowed(asked)?;
        let widgets = widgets.iter().enumerate();
        widgets
            .map(|(place, widget)| self.widget_data(who, (place, widget), range.as_ref(), &only))
            .collect()
    }

    /// The data of one widget.
    fn widget_data(
        &self,
        who: &Principal,
        (place, widget): (usize, &dashboard::Widget),
        range: Option<&Range>,
        only: &Only,
    ) -> Result<WidgetData> {
        let mut answered = WidgetData {
            widget: place,
            kind: widget.kind,
            title: widget.title.clone(),
            data_source: widget.data_source,
            visualization: widget.visualization.clone(),
            start_date: None,
            end_date: None,
            data: None,
            error: None,
        };
        let data = dashboard::span(widget, range, self.now()).and_then(|(span, zone)| {
            let plan = dashboard::plan(widget, (span, &zone), only)?;
            if !matches!(plan, Plan::Word("realtime", _)) {
                answered.start_date = Some(span.from);
                answered.end_date = Some(span.to);
            }
            self.widget_answer(who, &plan)
        });
        match data {
            Ok(data) => answered.data = Some(data),
            Err(error) => match error.kind() {
                ErrorKind::Invalid | ErrorKind::Limit => {
                    answered.error = Some(serde_json::json!({
                        "code": error.code(),
                        "message": error.message(),
                        "errors": error.field_errors(),
                    }));
                }
                _ => return Err(error),
            },
        }
        Ok(answered)
    }

    fn widget_answer(&self, who: &Principal, plan: &Plan) -> Result<Value> {
        if let Plan::Word(word, question) = plan {
            let answer = match self.ask(who, word, question) {
                // What is kept for others beside the question is none of the word's.
                Err(error) => match known_only(question, &error) {
                    Some(question) => self.ask(who, word, &question),
                    None => Err(error),
                },
                answer => answer,
            };
            let answer: Value = serde_json::from_str(&answer?).map_err(Error::internal)?;
            // A metric's question has one figure for its answer.
            let one = match answer {
                Value::Array(mut list) if list.len() == 1 => list.pop().unwrap_or_default(),
                other => other,
            };
            return dashboard::tagged(word, &one);
        }
        let Some(figures) = dashboard::figures(plan) else {
            return Err(Error::internal("a widget asks for nothing"));
        };
        let cells = self.warehouse.figures(&figures)?;
        let sums = if dashboard::is_money(plan) {
            self.warehouse.sums(&figures)?
        } else {
            Vec::new()
        };
        let base = self.warehouse.catalogue()?.base_currency;
        dashboard::answer(plan, &cells, &sums, &base)
    }

    /// The range asked for, if there is one, and what widgets are narrowed to.
    fn narrowed(&self, asked: &Value) -> Result<(Option<Range>, Only)> {
        let ranged = asked
            .as_object()
            .is_none_or(|asked| asked.keys().any(|name| name != "filters"));
        let mut fields = Fields::of(asked)?;
        let only = fields.optional("filters", Only::parse).unwrap_or_default();
        if !ranged {
            fields.finish(Vec::new())?;
            return Ok((None, only));
        }
        let range = fields.range();
        let faults = range.faults(None, self.now());
        fields.finish(faults)?;
        Ok((Some(range), only))
    }

    fn make(
        &self,
        who: &Principal,
        once: &Once,
        draft: impl FnOnce() -> Result<Draft>,
    ) -> Result<Dashboard> {
        let act = Act::new("dashboard.create", "");
        let (id, now): (ObjectId, _) = (self.fresh_id()?, self.now());
        self.acted(who, Permission::ManageDashboards, act, |session, act| {
            let draft = draft()?;
            if let Some(id) = once.made(session)? {
                act.object = object(&id.to_string());
                return Ok(dashboard::open(session, who, id, Access::View)?.0);
            }
            let made = draft.of(id, who.id(), now);
            act.object = object(&id.to_string());
            documents::insert(session, &made.document()?)?;
            once.keep(session, id)?;
            Ok(made)
        })
    }
}

/// A question without the fields that an error says are not known; nothing where none is.
fn known_only(question: &Value, error: &Error) -> Option<Value> {
    let mut question = question.clone();
    let fields = question.as_object_mut()?;
    let before = fields.len();
    for fault in error.field_errors() {
        if fault.code == "unknown_field" {
            fields.remove(&fault.field);
        }
    }
    (fields.len() < before).then_some(question)
}

fn object(id: &str) -> String {
    format!("dashboard/{id}")
}

/// Whether a dashboard still has the revision that a change was made to.
fn same(found: &Dashboard, revision: Option<i64>) -> Result<()> {
    match revision {
        Some(revision) if revision != found.revision => Err(Error::new(
            ErrorKind::Conflict,
            "revision_changed",
            format!(
                "the dashboard was changed since: it has revision {}, and not {revision}",
                found.revision
            ),
        )),
        _ => Ok(()),
    }
}
