//! Metadata in PostgreSQL, which several servers share.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use ::postgres::types::{FromSql, IsNull, ToSql, Type, private::BytesMut, to_sql_checked};
use ::postgres::{Client, Config, NoTls};

use super::{MetadataStore, Row, Session, Value, Work, migrate};
use crate::error::{Error, ErrorKind, Result};
use crate::query::Instant;

/// How many connections wait for the next question; more are opened and closed as they are needed.
const IDLE: usize = 16;

/// How long a server may be silent that should answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The advisory lock that one change at a time holds: `travelse` in ASCII.
const LOCK: i64 = 0x7472_6176_656c_7365;

/// A store in PostgreSQL 15 or later.
pub struct Postgres {
    config: Config,
    idle: Mutex<Vec<Client>>,
    read_only: bool,
}

impl Postgres {
    /// Connects to `postgres://user@host/database`, and makes the tables where they are absent.
    ///
    /// # Errors
    /// `invalid_url`; `unreachable` where nobody answers or lets us in; as opening a warehouse for what the tables hold.
    pub fn open(url: &str, read_only: bool, now: Instant) -> Result<Self> {
        // What was given may hold a password, and is not repeated.
        let unfit = || {
            Error::field(
                "metadata",
                "invalid_url",
                "must be such as postgres://user@host/database",
            )
        };
        let parsed = url.parse();
        let mut config: Config = parsed.map_err(|e: ::postgres::Error| unfit().caused_by(e))?;
        if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
            return Err(unfit());
        }
        // A server that nobody hears of any more is not waited for as long as the system would.
        if config.get_connect_timeout().is_none() {
            config.connect_timeout(PATIENCE);
        }
        if config.get_tcp_user_timeout().is_none() {
            config.tcp_user_timeout(PATIENCE);
        }
        config.keepalives_idle(PATIENCE);
        let store = Self {
            config,
            idle: Mutex::default(),
            read_only,
        };
        migrate::run(&store, migrate::ALL, now)?;
        Ok(store)
    }

    fn with<T>(&self, work: impl FnOnce(&mut Client) -> Result<T>) -> Result<T> {
        let waiting = self.idle().pop().filter(|client| !client.is_closed());
        let mut client = match waiting {
            Some(client) => client,
            None => self.config.connect(NoTls).map_err(fault)?,
        };
        let done = work(&mut client);
        let mut idle = self.idle();
        if idle.len() < IDLE && !client.is_closed() {
            idle.push(client);
        }
        done
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Client>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MetadataStore for Postgres {
    fn look(&self, work: &mut Work<'_>) -> Result<()> {
        self.with(|client| work(&mut Running(client)))
    }

    fn alter(&self, work: &mut Work<'_>) -> Result<()> {
        if self.read_only {
            return Err(Error::new(
                ErrorKind::Storage,
                "read_only",
                "the store was opened only to read; open it for writing to change it",
            ));
        }
        self.with(|client| {
            let mut transaction = client.transaction().map_err(fault)?;
            transaction
                .execute("select pg_advisory_xact_lock($1)", &[&LOCK])
                .map_err(fault)?;
            work(&mut Running(&mut transaction))?;
            transaction.commit().map_err(fault)
        })
    }

    fn dialect(&self) -> &'static str {
        "postgres"
    }

    fn read_only(&self) -> bool {
        self.read_only
    }
}

impl std::fmt::Debug for Postgres {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Postgres")
            .field("read_only", &self.read_only)
            .finish_non_exhaustive()
    }
}

impl Drop for Postgres {
    /// A connection says goodbye on a runtime of its own, which the thread of an asynchronous task may not have.
    fn drop(&mut self) {
        let idle = std::mem::take(&mut *self.idle());
        let closing = std::thread::spawn(move || drop(idle));
        // What cannot be closed in order is closed by the server.
        let _ = closing.join();
    }
}

struct Running<'a, C>(&'a mut C);

impl<C: ::postgres::GenericClient> Session for Running<'_, C> {
    fn query(&mut self, statement: &'static str, values: &[Value]) -> Result<Vec<Row>> {
        let rows = self.0.query(statement, &bound(values)).map_err(fault)?;
        rows.iter()
            .map(|row| {
                let cells = (0..row.len()).map(|i| row.try_get(i).map_err(fault));
                cells.collect::<Result<_>>().map(Row)
            })
            .collect()
    }

    fn execute(&mut self, statement: &'static str, values: &[Value]) -> Result<u64> {
        self.0.execute(statement, &bound(values)).map_err(fault)
    }

    fn batch(&mut self, statements: &'static str) -> Result<()> {
        self.0.batch_execute(statements).map_err(fault)
    }
}

fn bound(values: &[Value]) -> Vec<&(dyn ToSql + Sync)> {
    values.iter().map(|v| v as &(dyn ToSql + Sync)).collect()
}

type Failure = Box<dyn std::error::Error + Sync + Send>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> std::result::Result<IsNull, Failure> {
        match self {
            Self::Null => Ok(IsNull::Yes),
            Self::Text(text) => text.to_sql(ty, out),
            Self::Integer(number) => number.to_sql(ty, out),
            Self::Truth(truth) => truth.to_sql(ty, out),
        }
    }

    fn accepts(ty: &Type) -> bool {
        <Self as FromSql<'_>>::accepts(ty)
    }

    to_sql_checked!();
}

impl<'a> FromSql<'a> for Value {
    fn from_sql(ty: &Type, raw: &'a [u8]) -> std::result::Result<Self, Failure> {
        Ok(match *ty {
            Type::INT8 => Self::Integer(i64::from_sql(ty, raw)?),
            Type::BOOL => Self::Truth(bool::from_sql(ty, raw)?),
            _ => Self::Text(String::from_sql(ty, raw)?),
        })
    }

    fn from_sql_null(_: &Type) -> std::result::Result<Self, Failure> {
        Ok(Self::Null)
    }

    fn accepts(ty: &Type) -> bool {
        matches!(*ty, Type::INT8 | Type::BOOL | Type::TEXT | Type::VARCHAR)
    }
}

/// Whether it was the connection that failed, and not what was asked over it.
fn lost(error: &::postgres::Error) -> bool {
    std::error::Error::source(error).is_some_and(|cause| cause.is::<std::io::Error>())
}

fn fault(error: ::postgres::Error) -> Error {
    let (kind, code, message) = match error.as_db_error() {
        // Class 53 is insufficient resources, 58 is what the system refuses.
        Some(said) if said.code().code().starts_with("53") => (
            ErrorKind::Storage,
            "disk_full",
            "the metadata server has no room left; nothing of this change was kept",
        ),
        Some(said)
            if ["08", "28", "3D", "57"]
                .iter()
                .any(|class| said.code().code().starts_with(class)) =>
        {
            (
                ErrorKind::Storage,
                "unreachable",
                "the metadata server does not let us in",
            )
        }
        Some(_) => return Error::internal(error),
        None if error.is_closed() || lost(&error) => (
            ErrorKind::Storage,
            "unreachable",
            "the metadata server does not answer",
        ),
        None => return Error::internal(error),
    };
    Error::new(kind, code, message).caused_by(error)
}
