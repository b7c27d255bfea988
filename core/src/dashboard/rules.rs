//! Who may see and change a dashboard.

use super::Dashboard;
use crate::access::Principal;
use crate::error::{Error, ErrorKind, Result};
use crate::metadata::{Holder, Kind, ObjectId, Session, documents};

/// What somebody may do with one dashboard; the later includes the earlier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Access {
    /// Nothing.
    None,
    /// See it: it is public and the role is `admin`, or it is shared to view.
    View,
    /// Change what it shows: it is shared to edit.
    Edit,
    /// Everything: whose it is.
    Own,
}

impl Access {
    /// Whether somebody sees public dashboards: other admins do.
    pub(crate) fn sees_public(who: &Principal) -> bool {
        who.role() == "admin"
    }

    /// What somebody may do with a dashboard.
    fn of(session: &mut dyn Session, who: &Principal, dashboard: &Dashboard) -> Result<Self> {
        if dashboard.owner_id == who.id() {
            return Ok(Self::Own);
        }
        let mut most = if dashboard.is_public && Self::sees_public(who) {
            Self::View
        } else {
            Self::None
        };
        for share in documents::shares(session, Kind::Dashboard, dashboard.id)? {
            let meant = match &share.holder {
                Holder::User(id) => id == who.id(),
                Holder::Role(name) => name == who.role(),
            };
            if meant {
                most = most.max(if share.edit { Self::Edit } else { Self::View });
            }
        }
        Ok(most)
    }
}

/// A dashboard that somebody may do so much with: 404 where it is not there, then 403.
pub(crate) fn open(
    session: &mut dyn Session,
    who: &Principal,
    id: ObjectId,
    needed: Access,
) -> Result<(Dashboard, Access)> {
    let document = documents::get(session, Kind::Dashboard, id)?.ok_or_else(|| {
        Error::new(
            ErrorKind::NotFound,
            "not_found",
            format!("there is no dashboard `{id}`"),
        )
    })?;
    let dashboard = Dashboard::read(document)?;
    let has = Access::of(session, who, &dashboard)?;
    if has >= needed {
        return Ok((dashboard, has));
    }
    let reason = match needed {
        Access::Own => "only its owner may do this with the dashboard",
        Access::Edit => {
            "only its owner, and whom it is shared with to edit, may change the dashboard"
        }
        _ => "the dashboard is neither yours nor public, and not shared with you",
    };
    Err(Error::new(ErrorKind::Forbidden, "forbidden", reason))
}
