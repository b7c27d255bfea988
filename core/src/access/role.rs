//! Which role may do what, as data.

use super::Permission::{self, ImportEvents, ManageCatalogue, ReadAnalytics};

const ROLES: [(&str, &[Permission]); 3] = [
    ("admin", &[ReadAnalytics, ImportEvents, ManageCatalogue]),
    ("analyst", &[ReadAnalytics, ImportEvents]),
    ("viewer", &[ReadAnalytics]),
];

/// The permissions of a role, or `None` for a role that is not known.
pub(super) fn permissions(role: &str) -> Option<&'static [Permission]> {
    ROLES.iter().find(|r| r.0 == role).map(|r| r.1)
}
