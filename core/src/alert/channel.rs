//! Where notifications go.

use serde_json::{Value, json};

/// Where notifications go.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Channel {
    /// To the list that people see when they look: of these users, and of everybody of these roles.
    InApp {
        /// Users by id.
        users: Vec<String>,
        /// Roles by name.
        roles: Vec<String>,
    },
    /// To a URL, signed as Standard Webhooks has it.
    Webhook {
        /// The URL.
        url: String,
    },
    /// To a URL that takes Slack's messages.
    Slack {
        /// The URL.
        url: String,
    },
    /// By e-mail.
    Email {
        /// The addresses.
        to: Vec<String>,
    },
}

impl Channel {
    /// Its stable name.
    pub fn name(&self) -> &'static str {
        match self {
            Self::InApp { .. } => "in_app",
            Self::Webhook { .. } => "webhook",
            Self::Slack { .. } => "slack",
            Self::Email { .. } => "email",
        }
    }

    /// It in its JSON form.
    pub fn json(&self) -> Value {
        match self {
            Self::InApp { users, roles } => {
                json!({ "type": self.name(), "users": users, "roles": roles })
            }
            Self::Webhook { url } | Self::Slack { url } => {
                json!({ "type": self.name(), "url": url })
            }
            Self::Email { to } => json!({ "type": self.name(), "to": to }),
        }
    }
}

impl Channel {
    /// From its JSON form.
    ///
    /// # Errors
    /// `validation_failed` with every field error at once.
    pub fn parse(form: &Value) -> crate::error::Result<Self> {
        super::parse::one_channel(form)
    }
}
