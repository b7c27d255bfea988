//! Who may do what. Nothing is read or written without a decision made here; the default is no.

pub mod key;
pub mod revocation;
mod role;
mod signer;
pub mod token;

pub use key::Key;
use serde::Serialize;
pub use signer::Signer;
pub(crate) use signer::signed;
pub use token::{Claims, Proof, Verifier, mint};

use crate::error::{Error, ErrorKind, Result};

/// Who asks: an id for the record, the role that decides, and where the question comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    id: String,
    role: String,
    origin: String,
    request: String,
}

impl Principal {
    /// Somebody known by `id` with a role; a role that is not one of `admin`, `analyst`, `viewer`, `collector` is allowed nothing.
    pub fn new(id: impl Into<String>, role: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            role: role.into(),
            origin: String::new(),
            request: String::new(),
        }
    }

    /// The same, asking from somewhere, such as an address, by a request of this id; both are for the record only.
    #[must_use]
    pub fn asking(self, origin: impl Into<String>, request: impl Into<String>) -> Self {
        Self {
            origin: origin.into(),
            request: request.into(),
            ..self
        }
    }

    /// The program that embeds travelsense and owns the file: an `admin`, said in plain sight.
    pub fn owner() -> Self {
        Self::new("owner", "admin")
    }

    /// Who it is.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The role that decides.
    pub fn role(&self) -> &str {
        &self.role
    }

    /// From where; empty where nobody said.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// By which request; empty where nobody said.
    pub fn request(&self) -> &str {
        &self.request
    }
}

/// What somebody may be allowed to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Permission {
    /// Ask questions about the events.
    ReadAnalytics,
    /// See who the users behind a number are.
    ReadPeople,
    /// Make and remove cohorts.
    ManageCohorts,
    /// Import files of events and tables, and send again what was kept aside.
    ImportEvents,
    /// Send events as they happen, and nothing else.
    IngestEvents,
    /// Change which events are page views, conversions, errors and steps.
    ManageCatalogue,
    /// Take everything of a user away for ever.
    ErasePeople,
    /// See the dashboards that are one's own, shared or public.
    ReadDashboards,
    /// Make dashboards, and change and remove those that are one's own.
    ManageDashboards,
    /// Read the record of who did what.
    ReadAudit,
    /// Take tokens back before they expire.
    ManageAccess,
    /// See alerts, and where they stand.
    ReadAlerts,
    /// Make alerts, change and silence them, and see where they are told.
    ManageAlerts,
    /// Register models and remove them, keep what is foretold for feedback, and tell what came.
    ManageModels,
}

impl Permission {
    /// Its stable name.
    pub fn name(self) -> &'static str {
        match self {
            Self::ReadAnalytics => "read_analytics",
            Self::ReadPeople => "read_people",
            Self::ManageCohorts => "manage_cohorts",
            Self::ImportEvents => "import_events",
            Self::IngestEvents => "ingest_events",
            Self::ManageCatalogue => "manage_catalogue",
            Self::ErasePeople => "erase_people",
            Self::ReadDashboards => "read_dashboards",
            Self::ManageDashboards => "manage_dashboards",
            Self::ReadAudit => "read_audit",
            Self::ManageAccess => "manage_access",
            Self::ReadAlerts => "read_alerts",
            Self::ManageAlerts => "manage_alerts",
            Self::ManageModels => "manage_models",
        }
    }
}

/// Whether somebody may do something, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Whether it is allowed.
    pub allow: bool,
    /// What was asked for.
    pub permission: Permission,
    /// A sentence for people and for the log.
    pub reason: String,
}

/// All that this principal may do.
pub fn permissions(who: &Principal) -> &'static [Permission] {
    role::permissions(who.role()).unwrap_or_default()
}

/// May this principal do this?
pub fn decide(who: &Principal, permission: Permission) -> Decision {
    let (allow, reason) = match role::permissions(who.role()) {
        None => (
            false,
            format!(
                "the role `{}` is not known and has no permissions",
                who.role()
            ),
        ),
        Some(granted) if granted.contains(&permission) => (
            true,
            format!(
                "the role `{}` has the permission {}",
                who.role(),
                permission.name()
            ),
        ),
        Some(_) => (
            false,
            format!(
                "the role `{}` does not have the permission {}",
                who.role(),
                permission.name()
            ),
        ),
    };
    Decision {
        allow,
        permission,
        reason,
    }
}

/// Whether there is such a role.
pub(crate) fn is_role(name: &str) -> bool {
    role::is_known(name)
}

/// A question that an access decision has allowed; only [`grant`] makes one.
#[derive(Clone, Copy, Debug)]
pub struct Scoped<T>(T);

impl<T> Scoped<T> {
    /// The question.
    pub fn inner(&self) -> &T {
        &self.0
    }
}

/// Lets a question through to the stores if its asker has the permission it needs.
///
/// # Errors
/// `Forbidden` with the code `forbidden` and the reason of the decision.
pub fn grant<T>(who: &Principal, permission: Permission, question: T) -> Result<Scoped<T>> {
    let decision = decide(who, permission);
    if decision.allow {
        Ok(Scoped(question))
    } else {
        Err(Error::new(
            ErrorKind::Forbidden,
            "forbidden",
            decision.reason,
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Permission; 14] = [
        Permission::ReadAnalytics,
        Permission::ReadPeople,
        Permission::ManageCohorts,
        Permission::ImportEvents,
        Permission::IngestEvents,
        Permission::ManageCatalogue,
        Permission::ErasePeople,
        Permission::ReadDashboards,
        Permission::ManageDashboards,
        Permission::ReadAudit,
        Permission::ManageAccess,
        Permission::ReadAlerts,
        Permission::ManageAlerts,
        Permission::ManageModels,
    ];

    #[test]
    fn every_role_has_exactly_the_permissions_of_the_table() {
        let table = [
            ("admin", [true; 14]),
            (
                "analyst",
                [
                    true, true, true, true, true, false, false, true, true, false, false, true,
                    true, true,
                ],
            ),
            (
                "viewer",
                [
                    true, false, false, false, false, false, false, true, false, false, false,
                    true, false, false,
                ],
            ),
            (
                "collector",
                [
                    false, false, false, false, true, false, false, false, false, false, false,
                    false, false, false,
                ],
            ),
            ("Admin", [false; 14]),
            ("root", [false; 14]),
            ("", [false; 14]),
        ];
        for (role, expected) in table {
            let who = Principal::new("u", role);
            assert_eq!(ALL.map(|p| decide(&who, p).allow), expected, "{role}");
            assert_eq!(ALL.map(|p| grant(&who, p, ()).is_ok()), expected, "{role}");
        }
    }

    #[test]
    fn a_refusal_names_the_role_and_what_it_lacks() {
        let refused =
            grant(&Principal::new("u", "viewer"), Permission::ImportEvents, ()).unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Forbidden);
        assert_eq!(refused.code(), "forbidden");
        assert_eq!(
            refused.message(),
            "the role `viewer` does not have the permission import_events"
        );
        let unknown =
            grant(&Principal::new("u", "root"), Permission::ReadAnalytics, ()).unwrap_err();
        assert_eq!(
            unknown.message(),
            "the role `root` is not known and has no permissions"
        );
    }
}
