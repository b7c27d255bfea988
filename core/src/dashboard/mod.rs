//! Custom dashboards: what they hold, who may see and change them, and what data their widgets ask for.
//!
//! The rules are the specification's: a dashboard belongs to who made it; a public one may be read by every other `admin` and changed
//! by none of them. Beyond that its owner may share it with named users and roles, to view or to edit.

mod config;
mod data;
mod definition;
mod list;
mod only;
mod rules;
mod sharing;
mod template;
#[cfg(test)]
mod tests;
mod widget;

pub use self::data::{Figure, Line, Plan, Row, Rows, Series, SeriesBucket, What, WidgetData};
pub(crate) use self::data::{adds_up, answer, figures, is_money, plan, span, tagged};
pub use self::definition::{Dashboard, Draft, Patch};
pub use self::list::{List, Listed};
pub use self::only::Only;
pub use self::rules::Access;
pub(crate) use self::rules::open;
pub use self::sharing::{SharedRole, SharedUser, Sharing};
pub use self::template::Template;
pub use self::widget::{Source, Widget, WidgetType};
