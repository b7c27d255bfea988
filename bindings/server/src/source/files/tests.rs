//! Files that grow, are renamed, begin anew and are rotated.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::Write as _;

use super::*;

/// A folder that is followed, and what came of it: how often each line, and under which name.
struct Follower {
    dir: tempfile::TempDir,
    notes: Notes,
    feed: Files,
    lines: BTreeMap<String, usize>,
    names: BTreeMap<String, String>,
}

impl Follower {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("feed")).unwrap();
        let notes = Notes::beside(&dir.path().join("store.db")).unwrap();
        Self {
            feed: Files::new(&dir.path().join("feed"), &notes).unwrap(),
            dir,
            notes,
            lines: BTreeMap::new(),
            names: BTreeMap::new(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join("feed").join(name)
    }

    fn append(&self, name: &str, text: &str) {
        let mut options = OpenOptions::new();
        let mut file = options
            .create(true)
            .append(true)
            .open(self.path(name))
            .unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    /// The same folder, by another program.
    fn again(&mut self) {
        self.notes = Notes::beside(&self.dir.path().join("store.db")).unwrap();
        self.feed = Files::new(&self.dir.path().join("feed"), &self.notes).unwrap();
    }

    /// Takes all there is; an event that has the name of another is a duplicate.
    fn drain(&mut self) {
        while let Next::Piece(piece) = self.feed.next().unwrap() {
            let Lies::From(name, first) = &piece.names else {
                panic!("a file says where its lines lie");
            };
            let mut became = Taken::default();
            for (place, line) in (*first..).zip(String::from_utf8(piece.body).unwrap().lines()) {
                let name = format!("{name}\n{place}");
                match self.names.insert(name, line.to_owned()) {
                    None => {
                        became.accepted += 1;
                        *self.lines.entry(line.to_owned()).or_default() += 1;
                    }
                    Some(before) => {
                        assert_eq!(before, line, "two events of one name");
                        became.duplicates += 1;
                    }
                }
            }
            self.feed.taken(became).unwrap();
        }
    }

    /// Whether exactly these lines came, each once.
    fn has(&mut self, lines: std::ops::Range<u32>) {
        self.drain();
        let came: BTreeMap<String, usize> = lines.map(|n| (format!("line {n:04}"), 1)).collect();
        assert_eq!(self.lines, came);
    }
}

fn lines(of: std::ops::Range<u32>) -> String {
    of.map(|n| format!("line {n:04}\n")).collect()
}

#[test]
fn a_file_that_is_renamed_goes_on() {
    let mut follower = Follower::new();
    follower.append("a.ndjson", &lines(0..5));
    follower.has(0..5);
    follower.rename("a.ndjson", "b.ndjson");
    follower.has(0..5);
    follower.append("b.ndjson", &lines(5..8));
    follower.append("a.ndjson", &lines(8..9));
    follower.has(0..9);
    follower.rename("b.ndjson", "c.ndjson");
    follower.again();
    follower.append("c.ndjson", &lines(9..10));
    follower.append("b.ndjson", &lines(10..12));
    follower.has(0..12);
}

#[test]
fn a_file_that_begins_anew_is_another_however_long_it_is() {
    for grown in [10, 3, 1] {
        let mut follower = Follower::new();
        follower.append("a.ndjson", &lines(0..3));
        follower.has(0..3);
        fs::write(follower.path("a.ndjson"), lines(3..3 + grown)).unwrap();
        follower.has(0..3 + grown);
        follower.again();
        fs::remove_file(follower.path("a.ndjson")).unwrap();
        follower.append("a.ndjson", &lines(3 + grown..20));
        follower.has(0..20);
        follower.again();
        follower.append("a.ndjson", &lines(20..21));
        follower.has(0..21);
    }
}

#[test]
fn what_was_written_before_a_log_was_rotated_is_read() {
    let mut follower = Follower::new();
    follower.append("app.ndjson", &lines(0..5));
    follower.has(0..5);
    for turn in 1..4_u32 {
        let from = turn * 10 - 5;
        follower.append("app.ndjson", &lines(from..from + 5));
        if turn > 1 {
            follower.rename("app.ndjson.1", &format!("app.ndjson.{turn}"));
        }
        follower.rename("app.ndjson", "app.ndjson.1");
        // It goes on for a moment.
        follower.append("app.ndjson.1", &lines(from + 5..from + 6));
        follower.append("app.ndjson", &lines(from + 6..from + 10));
        if turn == 2 {
            follower.again();
        }
        follower.has(0..from + 10);
    }
    // A log that is copied and emptied.
    follower.append("app.ndjson", &lines(35..37));
    fs::copy(
        follower.path("app.ndjson"),
        follower.path("app.ndjson.copy"),
    )
    .unwrap();
    fs::write(follower.path("app.ndjson"), lines(37..38)).unwrap();
    follower.has(0..38);
}

#[test]
fn a_single_file_is_followed_as_a_folder_is() {
    let mut follower = Follower::new();
    follower.append("other.ndjson", "not asked for\n");
    follower.append("app.ndjson", &lines(0..2));
    follower.feed = Files::new(&follower.path("app.ndjson"), &follower.notes).unwrap();
    follower.has(0..2);
    follower.append("app.ndjson", &lines(2..4));
    follower.rename("app.ndjson", "app.ndjson.1");
    assert!(matches!(follower.feed.next(), Err(Trouble::Broken(_))));
    follower.append("app.ndjson", &lines(4..6));
    follower.has(0..6);
}

#[test]
fn lost_notes_bring_nothing_twice() {
    let mut follower = Follower::new();
    for n in 0..5 {
        follower.append("z.ndjson", &lines(2 * n..2 * n + 2));
        follower.has(0..2 * n + 2);
    }
    fs::remove_file(follower.dir.path().join("store.follow.json")).unwrap();
    follower.again();
    follower.append("z.ndjson", &lines(10..11));
    follower.has(0..11);
    // Nor of files that were rotated since, under names that are followed and others; what came meanwhile is not lost.
    for (n, rotated) in [(11, "y.ndjson"), (14, "z.ndjson.1")] {
        follower.rename("z.ndjson", rotated);
        follower.append("z.ndjson", &lines(n..n + 1));
        follower.has(0..n + 1);
        follower.append("z.ndjson", &lines(n + 1..n + 3));
        fs::write(follower.dir.path().join("store.follow.json"), "{").unwrap();
        follower.again();
        follower.has(0..n + 3);
    }
}

#[test]
fn a_file_that_was_rotated_twice_between_two_looks_is_read() {
    let mut follower = Follower::new();
    follower.append("a.ndjson.2", "of before it was followed\n");
    let before = File::options()
        .write(true)
        .open(follower.path("a.ndjson.2"))
        .unwrap();
    let written = before.metadata().unwrap().modified().unwrap();
    let hour = std::time::Duration::from_secs(3_600);
    before.set_modified(written - hour).unwrap();
    follower.append("a.ndjson", &lines(0..3));
    follower.has(0..3);
    follower.rename("a.ndjson.2", "a.ndjson.4");
    follower.rename("a.ndjson", "a.ndjson.3");
    follower.append("a.ndjson.2", &lines(3..5));
    follower.append("a.ndjson.1.gz", "packed\n");
    follower.append("a.ndjson.1", &lines(5..6));
    follower.append("a.ndjson", &lines(6..8));
    follower.again();
    follower.has(0..8);
    follower.append("a.ndjson.1", &lines(8..9));
    follower.has(0..9);
    follower.again();
    follower.has(0..9);
    // Once more, now that others are known by these names, and a file is gone.
    for turn in 0..3 {
        let from = 9 + turn * 4;
        for n in [from, from + 2] {
            for number in [2, 1] {
                let (is, becomes) = (format!("a.ndjson.{number}"), number + 1);
                follower.rename(&is, &format!("a.ndjson.{becomes}"));
            }
            follower.rename("a.ndjson", "a.ndjson.1");
            follower.append("a.ndjson", &lines(n..n + 2));
        }
        if turn == 1 {
            follower.again();
        }
        follower.has(0..from + 4);
    }
}

#[test]
fn one_quote_stops_no_file_and_what_does_not_come_is_told() {
    let mut follower = Follower::new();
    follower.append("a.csv", "id,note\n1,x\n2,5\" screen\n3,y\n");
    follower.append("half.ndjson", "line 0000\n{\"half");
    follower.drain();
    let came: Vec<_> = follower.lines.keys().map(String::as_str).collect();
    assert_eq!(came, ["1,x", "2,5\" screen", "3,y", "line 0000"]);
    assert_eq!(
        (follower.feed.left(), follower.feed.trouble()),
        (Some(6), None)
    );
    let long = File::create(follower.path("long.ndjson")).unwrap();
    long.set_len(LINE + 1).unwrap();
    follower.drain();
    assert!(follower.feed.trouble().unwrap().contains("at byte 0"));
    assert_eq!(follower.feed.left(), Some(LINE + 7));
}

#[cfg(target_os = "linux")]
#[test]
fn a_file_that_cannot_be_read_keeps_no_other_waiting() {
    let mut follower = Follower::new();
    std::os::unix::fs::symlink("/proc/self/mem", follower.path("a.ndjson")).unwrap();
    follower.append("b.ndjson", &lines(0..2));
    follower.has(0..2);
    assert!(follower.feed.trouble().unwrap().contains("a.ndjson"));
    follower.append("b.ndjson", &lines(2..4));
    follower.has(0..4);
    fs::remove_file(follower.path("a.ndjson")).unwrap();
    follower.append("b.ndjson", &lines(4..5));
    follower.has(0..5);
    assert_eq!(follower.feed.trouble(), None);
}

#[test]
fn two_names_of_one_file_are_one() {
    let mut follower = Follower::new();
    follower.append("b.ndjson", &lines(0..2));
    follower.has(0..2);
    fs::hard_link(follower.path("b.ndjson"), follower.path("a.ndjson")).unwrap();
    follower.append("b.ndjson", &lines(2..3));
    follower.has(0..3);
}
