//! Which role may do what, as data.

use super::Permission::{
    self, ErasePeople, ImportEvents, ManageAccess, ManageAlerts, ManageCatalogue, ManageCohorts,
    ManageDashboards, ReadAlerts, ReadAnalytics, ReadAudit, ReadDashboards, ReadPeople,
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
            ReadDashboards,
            ManageDashboards,
            ReadAudit,
            ManageAccess,
            ReadAlerts,
            ManageAlerts,
        ],
    ),
    (
        "analyst",
        &[
            ReadAnalytics,
            ReadPeople,
            ManageCohorts,
            ImportEvents,
            ReadDashboards,
            ManageDashboards,
            ReadAlerts,
            ManageAlerts,
        ],
    ),
    ("viewer", &[ReadAnalytics, ReadDashboards, ReadAlerts]),
];

/// The permissions of a role, or `None` for a role that is not known.
pub(super) fn permissions(role: &str) -> Option<&'static [Permission]> {
    ROLES.iter().find(|r| r.0 == role).map(|r| r.1)
}

/// Whether there is such a role.
pub(super) fn is_known(role: &str) -> bool {
    permissions(role).is_some()
}
