//! Which role may do what, as data.

use super::Permission::{
    self, ErasePeople, ImportEvents, IngestEvents, ManageAccess, ManageAlerts, ManageCatalogue,
    ManageCohorts, ManageDashboards, ManageModels, ReadAlerts, ReadAnalytics, ReadAudit,
    ReadDashboards, ReadPeople,
};

const ROLES: [(&str, &[Permission]); 4] = [
    (
        "admin",
        &[
            ReadAnalytics,
            ReadPeople,
            ManageCohorts,
            ImportEvents,
            IngestEvents,
            ManageCatalogue,
            ErasePeople,
            ReadDashboards,
            ManageDashboards,
            ReadAudit,
            ManageAccess,
            ReadAlerts,
            ManageAlerts,
            ManageModels,
        ],
    ),
    (
        "analyst",
        &[
            ReadAnalytics,
            ReadPeople,
            ManageCohorts,
            ImportEvents,
            IngestEvents,
            ReadDashboards,
            ManageDashboards,
            ReadAlerts,
            ManageAlerts,
            ManageModels,
        ],
    ),
    ("viewer", &[ReadAnalytics, ReadDashboards, ReadAlerts]),
    // A program that only sends events.
    ("collector", &[IngestEvents]),
];

/// The permissions of a role, or `None` for a role that is not known.
pub(super) fn permissions(role: &str) -> Option<&'static [Permission]> {
    ROLES.iter().find(|r| r.0 == role).map(|r| r.1)
}

/// Whether there is such a role.
pub(super) fn is_known(role: &str) -> bool {
    permissions(role).is_some()
}
