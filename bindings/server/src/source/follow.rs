//! Reads sources to their end, or on and on.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{JoinHandle, sleep, spawn};
use std::time::Duration;

use travelsense::events::Mapping;
use travelsense::{Analytics, Principal, SourceState};

use super::{Feed, Follow, Next, Notes, Piece, Result, Taken, Trouble, feed, store};

/// How often a source is looked at that has nothing.
const LOOK: Duration = Duration::from_millis(300);

/// A source that cannot be read is tried again after so long, and twice as long each time.
const AGAIN: Duration = Duration::from_secs(1);
const SELDOM: Duration = Duration::from_secs(60);

/// Reads a source until it has nothing more, or on and on until it is told to stop; what became of each piece is told.
///
/// # Errors
/// Why it cannot be read, or stored.
pub(crate) fn read(
    analytics: &Analytics,
    mapping: &Mapping,
    feed: &mut dyn Feed,
    (on, stop): (bool, &AtomicBool),
    hear: &mut dyn FnMut(&str, Taken),
) -> Result<()> {
    let who = Principal::new("follow", "collector");
    let source = feed.source();
    let mut told = None;
    while !stop.load(Ordering::Relaxed) {
        let next = feed.next()?;
        let behind = match &next {
            Next::Piece(piece) => piece.behind,
            Next::Nothing => feed.left(),
            Next::Soon => None,
        };
        let now = (behind, feed.trouble());
        if told.as_ref() != Some(&now) {
            if let (_, Some(trouble)) = &now
                && told.as_ref().is_none_or(|(_, before)| *before != now.1)
            {
                tracing::error!(source, trouble, "a part of a source cannot be read");
            }
            let state = SourceState {
                behind,
                trouble: now.1.clone(),
            };
            analytics.note_source(&who, &source, state)?;
            told = Some(now);
        }
        match next {
            Next::Piece(piece) => {
                let Some(taken) = patiently(analytics, mapping, &piece, stop)? else {
                    return Ok(());
                };
                feed.taken(taken)?;
                hear(&piece.source, taken);
            }
            Next::Nothing if !on => {
                return feed
                    .trouble()
                    .map_or(Ok(()), |why| Err(Trouble::Broken(why)));
            }
            Next::Nothing | Next::Soon => sleep(LOOK),
        }
    }
    Ok(())
}

/// Stores a piece, and waits where too much waits already; nothing where it is told to stop meanwhile.
fn patiently(
    analytics: &Analytics,
    mapping: &Mapping,
    piece: &Piece,
    stop: &AtomicBool,
) -> Result<Option<Taken>> {
    while !stop.load(Ordering::Relaxed) {
        match store(analytics, mapping, piece) {
            Err(error) if error.code() == "overloaded" => sleep(LOOK),
            taken => return Ok(Some(taken?)),
        }
    }
    Ok(None)
}

/// Sources that are read beside a server, each on a thread of its own.
#[derive(Debug, Default)]
pub(crate) struct Following {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<()>>,
}

impl Following {
    /// Begins to read them.
    pub(crate) fn start(
        analytics: &Arc<Analytics>,
        sources: Vec<(Follow, Mapping)>,
        notes: &Notes,
    ) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        for (follow, _) in &sources {
            // All are announced before any is read; what is wrong with one is told once it is.
            let _ = feed(&follow.from, notes);
        }
        let threads = sources.into_iter().map(|(follow, mapping)| {
            let (analytics, notes, stop) =
                (Arc::clone(analytics), notes.clone(), Arc::clone(&stop));
            spawn(move || on_and_on(&analytics, &follow.from, &mapping, &notes, &stop))
        });
        Self {
            threads: threads.collect(),
            stop,
        }
    }

    /// Ends once what is being stored is stored.
    pub(crate) fn stop(self) {
        self.stop.store(true, Ordering::Relaxed);
        for thread in self.threads {
            let _ = thread.join();
        }
    }
}

fn on_and_on(
    analytics: &Analytics,
    from: &str,
    mapping: &Mapping,
    notes: &Notes,
    stop: &AtomicBool,
) {
    let mut pause = AGAIN;
    while !stop.load(Ordering::Relaxed) {
        let opened = feed(from, notes);
        let source = opened
            .as_ref()
            .map_or_else(|_| String::new(), |feed| feed.source());
        let read = opened.and_then(|mut feed| {
            read(
                analytics,
                mapping,
                &mut *feed,
                (true, stop),
                &mut |source, taken| {
                    pause = AGAIN;
                    tell(source, taken);
                },
            )
        });
        let Err(trouble) = read else {
            return;
        };
        tracing::error!(source, %trouble, "a source cannot be read");
        let state = SourceState {
            behind: None,
            trouble: Some(trouble.to_string()),
        };
        let _ = analytics.note_source(&Principal::new("follow", "collector"), &source, state);
        if let Trouble::Wrong(_) = trouble {
            // Trying again changes nothing.
            pause = SELDOM;
        }
        let mut left = pause;
        while !left.is_zero() && !stop.load(Ordering::Relaxed) {
            let some = left.min(LOOK);
            sleep(some);
            left -= some;
        }
        pause = (pause * 2).min(SELDOM);
    }
}

fn tell(source: &str, taken: Taken) {
    let Taken {
        accepted,
        duplicates,
        refused,
        conflicts,
        parked,
    } = taken;
    if parked {
        tracing::error!(
            source,
            "events could not be stored and wait beside the store"
        );
    }
    if refused > 0 {
        tracing::warn!(source, refused, "events were refused");
    }
    if conflicts > 0 {
        tracing::warn!(
            source,
            conflicts,
            "events have the ids of others and another content: they are kept out"
        );
    }
    tracing::debug!(source, accepted, duplicates, refused, "events were taken");
}
