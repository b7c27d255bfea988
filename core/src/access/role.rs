//! Which role may do what, as data.

use super::Permission::{
    self, ErasePeople, ImportEvents, ManageCatalogue, ManageCohorts, ReadAnalytics, ReadPeople,
};

const ROLES: [(&str, &[Permission]); 3] = [
    (
        "admin",
        &[
            ReadAnalytics,
            ReadPeople,
            ManageCohorts,
            ImportEvents,
            ManageCatalogue,
            ErasePeople,
        ],
    ),
    (
        "analyst",
        &[ReadAnalytics, ReadPeople, ManageCohorts, ImportEvents],
    ),
    ("viewer", &[ReadAnalytics]),
];

/// The permissions of a role, or `None` for a role that is not known.
pub(super) fn permissions(role: &str) -> Option<&'static [Permission]> {
    ROLES.iter().find(|r| r.0 == role).map(|r| r.1)
}
