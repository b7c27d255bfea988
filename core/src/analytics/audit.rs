//! The record of who did what, and the tokens that are taken back: how every change and access gets its entry.

use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::{Analytics, Place};
use crate::access::{self, Permission, Principal, Proof, revocation};
use crate::audit::{self, Act, Anchor, Listed, Outcome, Verification};
#[cfg(not(feature = "postgres"))]
use crate::error::Error;
use crate::error::Result;
use crate::metadata::{
    Embedded, MetadataStore, ObjectId, Revocation, Session, change, entries, read, revocations,
};
use crate::query::fields::{self, Fields};

/// How old what is known of revocations may be, in microseconds: other servers may share the store.
const STALE: i64 = 1_000_000;

impl Analytics {
    /// The entries of the record, the latest first; see [`audit::list`].
    ///
    /// # Errors
    /// `validation_failed` with every field error at once; `forbidden` for a principal who may not read the record.
    pub fn audit(&self, who: &Principal, asked: &Value) -> Result<Listed> {
        let act = Act::new("audit.read", "");
        self.seen(who, Permission::ReadAudit, &act, |s| audit::list(s, asked))
    }

    /// Checks the record from the first entry on, and names the first that is not what it was.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read the record; whatever reading the store raises; `cancelled` or `timed_out`.
    pub fn verify_audit(&self, who: &Principal) -> Result<Verification> {
        self.verify_audit_by(who, &[])
    }

    /// The same, and checks it against anchors, which find a record that was made anew as a whole.
    ///
    /// # Errors
    /// As `verify_audit`.
    pub fn verify_audit_by(&self, who: &Principal, anchors: &[Anchor]) -> Result<Verification> {
        let act = Act::new("audit.verify", "");
        self.seen(who, Permission::ReadAudit, &act, |session| {
            audit::verify(session, anchors, self.course())
        })
    }

    /// The same of a question in its JSON form: `anchors`, a list of those that were kept elsewhere, each with `seq`, `hash` and `at`.
    ///
    /// # Errors
    /// As `verify_audit`; `validation_failed` with every field error at once.
    pub fn verify_audit_json(&self, who: &Principal, asked: &Value) -> Result<Verification> {
        let act = Act::new("audit.verify", "");
        self.seen(who, Permission::ReadAudit, &act, |session| {
            let mut fields = Fields::of(asked)?;
            let anchors = fields.optional("anchors", |v| fields::list(v, Anchor::parse));
            fields.finish(Vec::new())?;
            audit::verify(session, &anchors.unwrap_or_default(), self.course())
        })
    }

    /// Where the record ends now; signed and kept elsewhere, it shows later that nothing up to here was rewritten. It is told in no
    /// entry, since it is asked for again and again.
    ///
    /// # Errors
    /// `forbidden` for a principal who may not read the record; whatever reading the store raises.
    pub fn audit_anchor(&self, who: &Principal) -> Result<Anchor> {
        access::grant(who, Permission::ReadAudit, ())?;
        let head = read(&*self.metadata()?, entries::head)?;
        Ok(Anchor {
            seq: head.seq,
            hash: head.hash,
            at: self.now(),
        })
    }

    /// Writes down what was done without changing what is kept here: a question, a refusal, an export. When this fails, what was
    /// asked for must not be given.
    ///
    /// # Errors
    /// What the store raises. A store opened only to read keeps no record.
    pub fn record(
        &self,
        who: &Principal,
        act: &Act,
        (outcome, reason): (Outcome, &str),
    ) -> Result<()> {
        let store = self.metadata()?;
        if store.read_only() {
            return Ok(());
        }
        let entry = audit::entry(who, act, (outcome, reason), self.now());
        self.kept.recorder.record(&*store, entry)
    }

    /// Takes tokens back; see [`revocation::parse`].
    ///
    /// # Errors
    /// `validation_failed` with every field error at once; `forbidden` for a principal who may not manage access.
    pub fn revoke(&self, who: &Principal, asked: &Value) -> Result<()> {
        let act = Act::new("access.revoke", "");
        let now = self.now();
        self.acted(who, Permission::ManageAccess, act, |session, act| {
            let revocation = revocation::parse(asked, now)?;
            act.object = if revocation.token.is_empty() {
                format!("subject/{}", revocation.subject)
            } else {
                format!("token/{}", revocation.token)
            };
            revocations::insert(session, &revocation)
        })?;
        *self
            .kept
            .revocations
            .write()
            .unwrap_or_else(PoisonError::into_inner) = None;
        Ok(())
    }

    /// Lets a proven principal in, unless the token was taken back.
    ///
    /// # Errors
    /// `Unauthenticated` with the code `token_revoked`; whatever reading the store raises.
    pub fn admit(&self, proof: &Proof) -> Result<()> {
        revocation::admit(proof, &self.revocations()?)
    }

    /// The same where it is known without a look at the store, which may block.
    pub fn admit_at_once(&self, proof: &Proof) -> Option<Result<()>> {
        let known = self.known_revocations(self.now())?;
        Some(revocation::admit(proof, &known))
    }

    fn known_revocations(&self, now: crate::Instant) -> Option<Arc<Vec<Revocation>>> {
        let held = self.kept.revocations.try_read().ok()?;
        let (at, known) = held.as_ref()?;
        // Nobody else writes to a file of ours.
        let own = matches!(self.kept.place, Place::File(..));
        (own || now.micros().saturating_sub(at.micros()) < STALE).then(|| Arc::clone(known))
    }

    fn revocations(&self) -> Result<Arc<Vec<Revocation>>> {
        let now = self.now();
        if let Some(known) = self.known_revocations(now) {
            return Ok(known);
        }
        // Held while reading: a revocation kept meanwhile empties it again afterwards.
        let mut held = self
            .kept
            .revocations
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let fresh = Arc::new(read(&*self.metadata()?, |s| revocations::all(s, now))?);
        *held = Some((now, Arc::clone(&fresh)));
        Ok(fresh)
    }

    /// Where dashboards, exports and the record are kept.
    ///
    /// # Errors
    /// As opening a store of events.
    pub fn metadata(&self) -> Result<Arc<dyn MetadataStore>> {
        let mut held = self
            .kept
            .store
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(store) = &*held {
            return Ok(Arc::clone(store));
        }
        let now = self.now();
        let store: Arc<dyn MetadataStore> = match &self.kept.place {
            Place::File(path, read_only) => {
                Arc::new(Embedded::open(path.clone(), *read_only, now)?)
            }
            #[cfg(feature = "postgres")]
            Place::Server(url, read_only) => {
                Arc::new(crate::metadata::Postgres::open(url, *read_only, now)?)
            }
            #[cfg(not(feature = "postgres"))]
            Place::Server(..) => {
                return Err(Error::field(
                    "metadata",
                    "unsupported",
                    "this edition of travelsense was built without PostgreSQL",
                ));
            }
        };
        *held = Some(Arc::clone(&store));
        Ok(store)
    }

    /// Makes a change together with its entry in the record: both are kept, or neither. A refusal and a failure get an entry too.
    pub(super) fn acted<T>(
        &self,
        who: &Principal,
        permission: Permission,
        mut act: Act,
        work: impl FnOnce(&mut dyn Session, &mut Act) -> Result<T>,
    ) -> Result<T> {
        let granted = access::decide(who, permission);
        let done = access::grant(who, permission, ()).and_then(|_| {
            let store = self.metadata()?;
            change(&*store, |session| {
                let done = work(session, &mut act)?;
                let outcome = (Outcome::Allowed, granted.reason.as_str());
                let entry = audit::entry(who, &act, outcome, self.now());
                audit::append(session, vec![entry])?;
                Ok(done)
            })
        });
        if let Err(error) = &done {
            self.record(who, &act, Outcome::of(error))?;
        }
        done
    }

    /// Makes a change where the record is not: without an entry beforehand there is no change. A refusal and a failure get one too.
    pub(super) fn changed<T>(
        &self,
        who: &Principal,
        permission: Permission,
        act: &Act,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let done = access::grant(who, permission, ()).and_then(|_| {
            let reason = access::decide(who, permission).reason;
            self.record(who, act, (Outcome::Allowed, &reason))?;
            work()
        });
        if let Err(error) = &done {
            self.record(who, act, Outcome::of(error))?;
        }
        done
    }

    /// Looks at what is kept, with an entry in the record before anything of it is given away.
    pub(super) fn seen<T>(
        &self,
        who: &Principal,
        permission: Permission,
        act: &Act,
        work: impl FnOnce(&mut dyn Session) -> Result<T>,
    ) -> Result<T> {
        self.on_record(who, permission, act, || read(&*self.metadata()?, work))
    }

    /// Does for those who have a permission what changes nothing that is kept, with an entry in the record, whatever comes of it, before
    /// anything is given away.
    ///
    /// # Errors
    /// `forbidden`; what the work raises; what [`record`](Self::record) does.
    pub fn on_record<T>(
        &self,
        who: &Principal,
        permission: Permission,
        act: &Act,
        work: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let reason = access::decide(who, permission).reason;
        let done = access::grant(who, permission, ()).and_then(|_| work());
        let outcome = match &done {
            Ok(_) => (Outcome::Allowed, reason.as_str()),
            Err(error) => Outcome::of(error),
        };
        self.record(who, act, outcome)?;
        done
    }

    /// An id that nothing else has.
    pub(super) fn fresh_id(&self) -> Result<ObjectId> {
        let mut chance = [0; 8];
        (self.chance)(&mut chance)?;
        Ok(ObjectId::new(self.now(), chance))
    }
}
