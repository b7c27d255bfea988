//! Tells people: takes notifications out of the core's outbox and delivers them, and has alerts evaluated every minute.

mod address;
mod allowed;
mod mail;
mod sign;
mod web;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use travelsense::alert::Channel;
use travelsense::analytics::Attempt;
use travelsense::metadata::Letter;
use travelsense::{Analytics, Principal};

pub use self::allowed::Allowed;
pub use self::mail::Mail;
pub use self::sign::Secrets;
use self::web::Web;

/// Alerts are evaluated for whole minutes; how often it is looked whether one has begun.
const TICK: Duration = Duration::from_secs(5);

/// How often the outbox is looked at.
const LOOK: Duration = Duration::from_secs(2);

/// How many notifications are delivered at once.
const AT_ONCE: usize = 64;

/// How long one attempt may take; shorter than the time for which a notification is one's own.
const PATIENCE: Duration = Duration::from_secs(20);

/// By what notifications leave.
#[derive(Debug, Default)]
pub struct Outgoing {
    /// What signs webhooks; without it none are sent.
    pub secrets: Option<Secrets>,
    /// Addresses within this network that may be called all the same.
    pub allowed: Allowed,
    /// The server that takes e-mail; without one none is sent.
    pub mail: Option<Mail>,
}

/// Delivers notifications.
#[derive(Debug)]
pub struct Notifier {
    web: Web,
    mail: Option<Mail>,
}

impl Notifier {
    /// Delivers by these.
    ///
    /// # Errors
    /// A sentence that says why requests cannot be sent from here.
    pub fn new(outgoing: Outgoing) -> Result<Self, String> {
        Ok(Self {
            web: Web::new(outgoing.secrets, outgoing.allowed, PATIENCE)?,
            mail: outgoing.mail,
        })
    }

    /// Delivers what is due, until nothing is any more; says how many were tried. A receiver that is silent keeps no other waiting, as
    /// long as there is a place.
    pub async fn deliver(self: &Arc<Self>, analytics: &Arc<Analytics>) -> usize {
        let mut under_way = JoinSet::new();
        let mut tried = 0;
        loop {
            let letters = match AT_ONCE - under_way.len() {
                0 => Vec::new(),
                free => due(analytics, free).await,
            };
            tried += letters.len();
            for letter in letters {
                under_way.spawn(Arc::clone(self).tried(Arc::clone(analytics), letter));
            }
            if under_way.is_empty() {
                return tried;
            }
            // Whatever ends makes room, and what has become due meanwhile need not wait for it.
            let _ = tokio::time::timeout(LOOK, under_way.join_next()).await;
        }
    }

    /// Tries to deliver one, and keeps what became of it.
    async fn tried(self: Arc<Self>, store: Arc<Analytics>, letter: Letter) {
        let attempt = self.attempt(&letter, store.now().micros()).await;
        match &attempt {
            Attempt::Delivered => {}
            Attempt::Failed(why) | Attempt::Refused(why) => {
                tracing::warn!(
                    id = letter.note.id,
                    channel = letter.channel,
                    why,
                    "not delivered"
                );
            }
        }
        let kept =
            tokio::task::spawn_blocking(move || store.attempted(&system(), &letter, &attempt));
        if let Ok(Err(error)) = kept.await {
            tracing::error!(?error, "what became of a notification cannot be kept");
        }
    }

    async fn attempt(&self, letter: &Letter, now: i64) -> Attempt {
        let target = serde_json::from_str(&letter.target).map_err(|e| e.to_string());
        let channel = target.and_then(|form| Channel::parse(&form).map_err(|e| e.to_string()));
        let sent = async {
            match channel {
                Ok(Channel::Webhook { url }) => self.web.webhook(&url, &letter.note, now).await,
                Ok(Channel::Slack { url }) => self.web.slack(&url, &letter.note).await,
                Ok(Channel::Email { to }) => match &self.mail {
                    Some(mail) => mail.send(&to, &letter.note).await,
                    None => Attempt::Refused("no mail server is set".to_owned()),
                },
                Ok(Channel::InApp { .. }) => Attempt::Delivered,
                Err(why) => Attempt::Refused(why),
            }
        };
        tokio::time::timeout(PATIENCE, sent)
            .await
            .unwrap_or_else(|_| Attempt::Failed("it took too long".to_owned()))
    }
}

/// Evaluates alerts as they become due, and delivers notifications, until it is dropped. One that is under way then is delivered
/// again.
pub async fn run(analytics: Arc<Analytics>, notifier: Notifier) {
    let notifier = Arc::new(notifier);
    let evaluating = async {
        loop {
            let store = Arc::clone(&analytics);
            let done = tokio::task::spawn_blocking(move || store.evaluate_alerts(&system())).await;
            match done {
                Ok(Ok(done)) if done.evaluated > 0 => {
                    tracing::debug!(?done, "alerts were evaluated")
                }
                Ok(Ok(_)) => {}
                Ok(Err(error)) => tracing::error!(?error, "alerts cannot be evaluated"),
                Err(error) => tracing::error!(%error, "the evaluation of alerts broke off"),
            }
            tokio::time::sleep(TICK).await;
        }
    };
    let delivering = async {
        loop {
            notifier.deliver(&analytics).await;
            tokio::time::sleep(LOOK).await;
        }
    };
    tokio::join!(evaluating, delivering);
}

/// So many notifications that are due, and that nobody else delivers.
async fn due(analytics: &Arc<Analytics>, most: usize) -> Vec<Letter> {
    let store = Arc::clone(analytics);
    let taken = tokio::task::spawn_blocking(move || store.take_notifications(&system(), most));
    match taken.await {
        Ok(Ok(letters)) => letters,
        Ok(Err(error)) => {
            tracing::error!(?error, "notifications cannot be read");
            Vec::new()
        }
        Err(_) => Vec::new(),
    }
}

/// The server itself, as the record knows it.
fn system() -> Principal {
    Principal::new("system", "admin")
}
