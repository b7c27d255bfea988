#[cfg(feature = "postgres")]
pub(crate) mod server;

use super::documents::{delete, fold, get, in_state, insert, share, shares, update};
use super::*;
use crate::error::ErrorKind;
use crate::query::Instant;

fn at(second: i64) -> Instant {
    Instant::from_micros(second * 1_000_000).unwrap()
}

fn document(n: u8, owner: &str, name: &str) -> Document {
    Document {
        kind: Kind::Dashboard,
        id: ObjectId::new(at(i64::from(n)), [n; 8]),
        owner: owner.to_owned(),
        name: fold(name),
        sought: fold(name),
        state: String::new(),
        public: false,
        revision: 1,
        created_at: at(i64::from(n)),
        updated_at: at(i64::from(n)),
        body: format!(r#"{{"name":"{name}\u0000"}}"#),
    }
}

/// Every engine there is here, empty, by name.
pub(crate) fn engines(check: impl Fn(&str, &dyn MetadataStore)) {
    check("duckdb", &Embedded::open(None, false, at(0)).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let file = Some(folder.path().join("store.meta"));
    check("file", &Embedded::open(file, false, at(0)).unwrap());
    #[cfg(feature = "postgres")]
    if let Some(server) = server::Server::start() {
        check(
            "postgres",
            &Postgres::open(&server.url(), false, at(0)).unwrap(),
        );
    }
}

fn found(store: &dyn MetadataStore, user: &str, search: &str, sort: Sort) -> Vec<String> {
    let asked = Find {
        kind: Kind::Dashboard,
        user,
        role: "analyst",
        public: user == "boss",
        search,
        state: "",
        sort,
        limit: 50,
        offset: 0,
    };
    let found = read(store, |s| documents::find(s, &asked)).unwrap();
    assert_eq!(found.total, found.documents.len() as u64);
    found.documents.into_iter().map(|d| d.name).collect()
}

#[test]
fn files_of_models_are_kept_in_parts_and_versions_are_not_given_twice() {
    engines(|engine, store| {
        let version = |version: i64, n: u8| models::Version {
            version,
            id: ObjectId::new(at(0), [n; 8]),
            hash: format!("{n}"),
            gone: false,
        };
        // Longer than one part, and not by a whole number of them.
        let file: Vec<u8> = (0..500_000_u32).map(|i| (i % 251) as u8).collect();
        let kept = version(1, 7);
        change(store, |s| models::insert(s, "m", &kept, &file)).unwrap();
        change(store, |s| models::insert(s, "m", &version(2, 8), b"")).unwrap();
        assert_eq!(
            read(store, |s| models::file(s, kept.id)).unwrap(),
            file,
            "{engine}"
        );
        change(store, |s| models::remove(s, kept.id)).unwrap();
        assert!(
            read(store, |s| models::file(s, kept.id))
                .unwrap()
                .is_empty()
        );
        let all = read(store, |s| models::versions(s, "m")).unwrap();
        let seen: Vec<(i64, bool)> = all.iter().map(|v| (v.version, v.gone)).collect();
        assert_eq!(seen, [(2, false), (1, true)], "{engine}");
        assert!(
            read(store, |s| models::versions(s, "M"))
                .unwrap()
                .is_empty()
        );
    });
}

#[test]
fn feedback_is_what_was_known_at_an_instant() {
    engines(|engine, store| {
        let run = |n: i64| feedback::Run {
            id: format!("r{n}"),
            log: "l".to_owned(),
            made_at: at(n),
            body: "{}".to_owned(),
        };
        let told = |n: i64| feedback::Actuals {
            log: "l".to_owned(),
            known_at: at(n),
            run: String::new(),
            body: format!("[{n}]"),
        };
        change(store, |s| {
            for n in [3, 1, 2] {
                feedback::insert_run(s, &run(n))?;
                feedback::insert_actuals(s, &told(n))?;
            }
            Ok(())
        })
        .unwrap();
        let runs = read(store, |s| feedback::runs(s, "l", at(3), 2)).unwrap();
        assert_eq!(runs, [run(2), run(3)], "{engine}");
        assert_eq!(
            read(store, |s| feedback::runs(s, "l", at(2), 9)).unwrap(),
            [run(1), run(2)]
        );
        assert_eq!(
            read(store, |s| feedback::actuals(s, "l", at(2))).unwrap(),
            [told(1), told(2)]
        );
        let logs = read(store, feedback::logs).unwrap();
        assert_eq!(logs, [("l".to_owned(), 3, at(3))], "{engine}");
        assert_eq!(change(store, |s| feedback::forget(s, "l")).unwrap(), 3);
        assert!(read(store, feedback::logs).unwrap().is_empty());
    });
}

#[test]
fn documents_are_kept_as_they_were_given() {
    engines(|engine, store| {
        let mut one = document(1, "u1", "One");
        change(store, |s| insert(s, &one)).unwrap();
        let got = |id| read(store, |s| get(s, Kind::Dashboard, id)).unwrap();
        assert_eq!(got(one.id), Some(one.clone()), "{engine}");
        assert_eq!(got(document(2, "", "").id), None, "{engine}");
        one.revision = 2;
        one.body = "{}".to_owned();
        one.state = "done".to_owned();
        assert!(change(store, |s| update(s, &one)).unwrap());
        assert!(
            !change(store, |s| update(s, &one)).unwrap(),
            "{engine}: of a revision before"
        );
        assert_eq!(got(one.id), Some(one.clone()));
        let waiting = |state| read(store, |s| in_state(s, Kind::Dashboard, state)).unwrap();
        assert_eq!((waiting("done").len(), waiting("new").len()), (1, 0));
        assert!(
            read(store, |s| get(s, Kind::Export, one.id))
                .unwrap()
                .is_none()
        );
        assert!(change(store, |s| delete(s, Kind::Dashboard, one.id)).unwrap());
        assert!(!change(store, |s| delete(s, Kind::Dashboard, one.id)).unwrap());
        assert_eq!(got(one.id), None);
    });
}

#[test]
fn lists_hold_what_is_ones_own_shared_or_public_in_the_order_asked_for() {
    engines(|engine, store| {
        change(store, |s| {
            insert(s, &document(1, "u1", "Beta 100%"))?;
            insert(s, &document(2, "u1", "alpha_one"))?;
            insert(s, &document(3, "u2", "Ärger 'quoted' \"twice\""))?;
            insert(s, &document(4, "u2", "Shared"))?;
            insert(
                s,
                &Document {
                    public: true,
                    ..document(5, "u2", "Zeta")
                },
            )?;
            let share_with = |holder, edit| Share { holder, edit };
            let id = document(4, "", "").id;
            let all = [
                share_with(Holder::User("u3".to_owned()), true),
                share_with(Holder::Role("admin".to_owned()), false),
            ];
            share(s, Kind::Dashboard, id, &all)?;
            assert_eq!(shares(s, Kind::Dashboard, id)?, all);
            Ok(())
        })
        .unwrap();
        let list = |user, sort| found(store, user, "", sort);
        assert_eq!(
            list("u1", Sort::Newest),
            ["alpha_one", "beta 100%"],
            "{engine}"
        );
        assert_eq!(
            list("u1", Sort::Oldest),
            ["beta 100%", "alpha_one"],
            "{engine}"
        );
        assert_eq!(
            list("u1", Sort::NameDown),
            ["beta 100%", "alpha_one"],
            "{engine}"
        );
        assert_eq!(
            list("u2", Sort::Name),
            ["shared", "zeta", "ärger 'quoted' \"twice\""],
            "{engine}: by code point, wherever the server stands"
        );
        assert_eq!(list("u3", Sort::Name), ["shared"], "{engine}");
        assert_eq!(list("u4", Sort::Name), [""; 0], "{engine}");
        assert_eq!(list("boss", Sort::Name), ["zeta"], "{engine}");
        for (search, expected) in [
            ("100%", 1),
            ("%", 1),
            ("_", 1),
            ("ALPHA", 1),
            ("a_one", 1),
            ("aXone", 0),
            ("'", 0),
            ("\\", 0),
        ] {
            assert_eq!(
                found(store, "u1", search, Sort::Name).len(),
                expected,
                "{engine}: {search}"
            );
        }
        for search in ["'quoted'", "\"", "ÄRGER"] {
            assert_eq!(
                found(store, "u2", search, Sort::Name).len(),
                1,
                "{engine}: {search}"
            );
        }
        let page = |limit, offset| {
            let asked = Find {
                kind: Kind::Dashboard,
                user: "u2",
                role: "admin",
                public: true,
                search: "",
                state: "",
                sort: Sort::Oldest,
                limit,
                offset,
            };
            let found = read(store, |s| documents::find(s, &asked)).unwrap();
            (found.total, found.documents.len())
        };
        assert_eq!(
            [page(2, 0), page(2, 2), page(2, 3), page(2, 9)],
            [(3, 2), (3, 1), (3, 0), (3, 0)],
            "{engine}"
        );
    });
}

/// Within a change the engine is asked; whoever only looks may be given what is held.
#[test]
fn what_is_held_in_memory_is_what_the_engine_says() {
    engines(|engine, store| {
        let ana = Share {
            holder: Holder::User("ana".to_owned()),
            edit: true,
        };
        let change_of = |n: u8, s: &mut dyn Session| match n {
            0..=4 => insert(
                s,
                &Document {
                    public: n.is_multiple_of(2),
                    state: ["", "done"][usize::from(n % 2)].to_owned(),
                    created_at: at(i64::from(n / 2)),
                    ..document(
                        n,
                        ["u1", "u2"][usize::from(n / 3)],
                        ["B_", "a", "ä%"][usize::from(n % 3)],
                    )
                },
            ),
            5 => share(
                s,
                Kind::Dashboard,
                document(3, "", "").id,
                std::slice::from_ref(&ana),
            ),
            6 => delete(s, Kind::Dashboard, document(1, "", "").id).map(|_| ()),
            _ => Ok(()),
        };
        for n in 0..8 {
            change(store, |s| change_of(n, s)).unwrap();
            for sort in [Sort::Newest, Sort::Oldest, Sort::Name, Sort::NameDown] {
                for (user, public) in [("u1", false), ("u2", true), ("ana", false)] {
                    for (search, state, offset) in [
                        ("", "", 0),
                        ("%", "", 0),
                        ("_", "", 0),
                        ("", "done", 0),
                        ("", "", 1),
                    ] {
                        let asked = Find {
                            kind: Kind::Dashboard,
                            user,
                            role: "viewer",
                            public,
                            search,
                            state,
                            sort,
                            limit: 2,
                            offset,
                        };
                        let kept = change(store, |s| documents::find(s, &asked)).unwrap();
                        let held = read(store, |s| documents::find(s, &asked)).unwrap();
                        assert_eq!(held, kept, "{engine}, {n}: {asked:?}");
                    }
                }
            }
            for n in 0..5 {
                let id = document(n, "", "").id;
                let of = |s: &mut dyn Session| {
                    Ok((
                        get(s, Kind::Dashboard, id)?,
                        shares(s, Kind::Dashboard, id)?,
                    ))
                };
                assert_eq!(
                    read(store, of).unwrap(),
                    change(store, of).unwrap(),
                    "{engine}"
                );
            }
        }
        let held = read(store, |s| s.held(Kind::Dashboard)).unwrap();
        assert_eq!(held.is_some(), engine != "postgres", "{engine}");
    });
}

#[test]
fn a_change_that_fails_leaves_nothing() {
    engines(|engine, store| {
        let one = document(1, "u1", "One");
        let failed = change(store, |s| {
            insert(s, &one)?;
            Err::<(), _>(Error::field("name", "required", "is required"))
        });
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Invalid);
        assert_eq!(
            read(store, |s| get(s, Kind::Dashboard, one.id)).unwrap(),
            None,
            "{engine}"
        );
        change(store, |s| insert(s, &one)).unwrap();
    });
}

#[test]
fn changes_of_many_threads_come_one_after_the_other() {
    engines(|engine, store| {
        change(store, |s| insert(s, &document(1, "u1", "One"))).unwrap();
        let id = document(1, "", "").id;
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..10 {
                        let changed = change(store, |s| {
                            let mut now = get(s, Kind::Dashboard, id)?.unwrap();
                            now.revision += 1;
                            update(s, &now)
                        });
                        assert!(changed.unwrap());
                    }
                });
            }
        });
        let last = read(store, |s| get(s, Kind::Dashboard, id))
            .unwrap()
            .unwrap();
        assert_eq!(last.revision, 41, "{engine}");
    });
}

#[test]
fn migrations_go_forward_only_and_none_may_have_changed() {
    engines(|engine, store| {
        assert_eq!(
            store.dialect(),
            if engine == "postgres" {
                "postgres"
            } else {
                "duckdb"
            }
        );
        let code = |error: Error| error.code();
        migrate::run(store, migrate::ALL, at(1)).unwrap();
        let other = migrate::Migration {
            sql: "select 1",
            ..migrate::ALL[0]
        };
        assert_eq!(
            code(migrate::run(store, &[other], at(1)).unwrap_err()),
            "corrupt",
            "{engine}"
        );
        assert_eq!(
            code(migrate::run(store, &[], at(1)).unwrap_err()),
            "newer_format",
            "{engine}"
        );
        let broken = migrate::Migration {
            number: migrate::ALL.len() as i64 + 1,
            sql: "create table half (a bigint); create table half (a bigint)",
            postgres: "",
        };
        let and = |one| [migrate::ALL, &[one]].concat();
        assert!(migrate::run(store, &and(broken), at(1)).is_err());
        let whole = migrate::Migration {
            sql: "create table half (a bigint)",
            ..broken
        };
        migrate::run(store, &and(whole), at(1)).unwrap();
    });
}

#[test]
fn only_what_is_due_is_given_and_only_until_it_is_done() {
    engines(|engine, store| {
        let id = |n: u8| document(n, "a", "b").id;
        let due = |by: i64| {
            let found = read(store, |s| expiries::due(s, Kind::Export, at(by))).unwrap();
            found.iter().map(|d| d.id).collect::<Vec<_>>()
        };
        change(store, |s| {
            for n in 1..5 {
                let kind = if n == 4 { Kind::Alert } else { Kind::Export };
                insert(
                    s,
                    &Document {
                        kind,
                        ..document(n, "a", "b")
                    },
                )?;
                expiries::set(s, kind, id(n), at(100 - i64::from(n)))?;
            }
            // Of nothing that is there.
            expiries::set(s, Kind::Export, id(9), at(1))
        })
        .unwrap();
        assert_eq!(due(96), [], "{engine}");
        assert_eq!(due(98), [id(3), id(2)], "{engine}");
        change(store, |s| {
            expiries::set(s, Kind::Export, id(2), at(500))?;
            expiries::clear(s, Kind::Export, id(3))?;
            expiries::clear(s, Kind::Export, id(7))
        })
        .unwrap();
        assert_eq!(due(99), [id(1)], "{engine}");
        let all = read(store, |s| expiries::due(s, Kind::Export, Instant::MAX));
        assert_eq!(all.unwrap().len(), 2, "{engine}");
    });
}

fn letter(n: i64, told: &str) -> Letter {
    Letter {
        note: Note {
            id: format!("msg_{n}"),
            told: told.to_owned(),
            title: format!("number {n}"),
            body: "{}".to_owned(),
            created_at: at(n),
        },
        channel: "webhook".to_owned(),
        target: "{}".to_owned(),
        state: "waiting".to_owned(),
        attempts: 0,
        next_at: at(n),
        error: String::new(),
    }
}

#[test]
fn of_one_thing_one_place_is_told_in_order() {
    engines(|engine, store| {
        let put = |l: &Letter| change(store, |s| outbox::send(s, l)).unwrap();
        let mut elsewhere = letter(3, "a/3");
        elsewhere.target = "{\"url\":\"b\"}".to_owned();
        for l in [
            &letter(1, "a/1"),
            &letter(2, "a/2"),
            &elsewhere,
            &letter(4, "b/4"),
        ] {
            assert!(put(l), "{engine}");
        }
        let take =
            |now: i64| change(store, |s| outbox::take(s, at(now), at(now + 120), 10)).unwrap();
        let ids = |letters: &[Letter]| -> Vec<String> {
            letters.iter().map(|l| l.note.id.clone()).collect()
        };
        let mut first = take(10);
        assert_eq!(ids(&first), ["msg_1", "msg_3", "msg_4"], "{engine}");
        assert_eq!(
            ids(&take(11)),
            Vec::<String>::new(),
            "the first is under way"
        );
        // It fails, and the second waits for it a few times more.
        first[0].attempts = 3;
        first[0].next_at = at(1_000);
        change(store, |s| outbox::attempted(s, &first[0])).unwrap();
        assert_eq!(ids(&take(12)), Vec::<String>::new(), "{engine}");
        first[0].attempts = 4;
        change(store, |s| outbox::attempted(s, &first[0])).unwrap();
        assert_eq!(ids(&take(13)), ["msg_2"], "{engine}: and then no longer");
    });
}

#[test]
fn a_letter_is_put_in_once_and_taken_by_one_at_a_time() {
    engines(|engine, store| {
        let put = |l: &Letter| change(store, |s| outbox::send(s, l)).unwrap();
        assert!(put(&letter(1, "a")), "{engine}");
        assert!(!put(&letter(2, "a")), "{engine}: told before");
        assert!(put(&letter(3, "b")));
        let take =
            |now: i64| change(store, |s| outbox::take(s, at(now), at(now + 120), 10)).unwrap();
        let ids = |letters: &[Letter]| -> Vec<String> {
            letters.iter().map(|l| l.note.id.clone()).collect()
        };
        assert_eq!(ids(&take(0)), Vec::<String>::new(), "none is due");
        let first = take(2);
        assert_eq!(ids(&first), ["msg_1"], "{engine}");
        assert_eq!(ids(&take(3)), ["msg_3"], "the first is taken");
        assert_eq!(
            ids(&take(130)),
            ["msg_1", "msg_3"],
            "nobody said what became of them"
        );
        let mut sent = first[0].clone();
        sent.state = "sent".to_owned();
        sent.attempts = 1;
        change(store, |s| outbox::attempted(s, &sent)).unwrap();
        assert_eq!(
            read(store, |s| outbox::find(s, "msg_1")).unwrap(),
            Some(sent)
        );
        let list = |state: &str, limit, offset| {
            let (letters, total) =
                read(store, |s| outbox::letters(s, state, limit, offset)).unwrap();
            (ids(&letters), total)
        };
        assert_eq!(list("waiting", 10, 0), (vec!["msg_3".to_owned()], 1));
        assert_eq!(list("", 1, 0), (vec!["msg_3".to_owned()], 2));
        assert_eq!(list("", 10, 5), (vec![], 2));
    });
}

#[test]
fn a_list_of_notes_is_of_one_user_and_their_role() {
    engines(|engine, store| {
        let post = |n: i64, holder: Holder| {
            let note = letter(n, &n.to_string()).note;
            change(store, |s| outbox::post(s, &holder, &note)).unwrap();
        };
        post(1, Holder::User("ann".to_owned()));
        post(1, Holder::User("ann".to_owned()));
        post(1, Holder::Role("admin".to_owned()));
        post(2, Holder::Role("admin".to_owned()));
        post(3, Holder::User("bob".to_owned()));
        let list = |who, unread| {
            let (posts, total, left) =
                read(store, |s| outbox::inbox(s, who, unread, (10, 0))).unwrap();
            let posts: Vec<_> = posts.into_iter().map(|p| (p.note.id, p.read)).collect();
            (posts, total, left)
        };
        let id = |n: i64| format!("msg_{n}");
        let ann = ("ann", "admin");
        assert_eq!(
            list(ann, false),
            (vec![(id(2), false), (id(1), false)], 2, 2),
            "{engine}"
        );
        let mark = |who, id: &str| change(store, |s| outbox::mark_read(s, who, id)).unwrap();
        assert!(mark(ann, "msg_2") && mark(ann, "msg_2"));
        assert!(!mark(ann, "msg_3"), "{engine}: of somebody else");
        assert_eq!(list(ann, true), (vec![(id(1), false)], 1, 1), "{engine}");
        assert_eq!(
            list(("cyd", "admin"), false).2,
            2,
            "read by one is not read by all"
        );
        assert_eq!(list(("bob", "viewer"), false).0, [(id(3), false)]);
    });
}

#[test]
fn where_a_rule_stands_and_what_became_of_it_is_kept() {
    engines(|engine, store| {
        let mut standing = read(store, |s| alerts::standing(s, "r1")).unwrap();
        assert_eq!(
            standing,
            Standing {
                rule: "r1".to_owned(),
                ..Standing::default()
            }
        );
        standing.state = "{}".to_owned();
        for until in [None, Some(at(9)), None] {
            standing.silenced_until = until;
            change(store, |s| alerts::stand(s, &standing)).unwrap();
            let kept = read(store, |s| alerts::standing(s, "r1")).unwrap();
            assert_eq!(kept, standing, "{engine}");
        }
        for second in [1, 2, 3] {
            let event = Event {
                rule: "r1".to_owned(),
                at: at(second),
                event: "firing".to_owned(),
                body: "{}".to_owned(),
            };
            change(store, |s| alerts::happened(s, &event)).unwrap();
        }
        let history = read(store, |s| alerts::history(s, "r1", 2, 0)).unwrap();
        assert_eq!(
            history.iter().map(|e| e.at).collect::<Vec<_>>(),
            [at(3), at(2)]
        );
        change(store, |s| alerts::forget(s, "r1")).unwrap();
        assert_eq!(
            read(store, |s| alerts::standing(s, "r1")).unwrap().state,
            ""
        );
        assert_eq!(
            read(store, |s| alerts::history(s, "r1", 9, 0))
                .unwrap()
                .len(),
            3
        );
    });
}

#[test]
fn a_file_is_there_again_and_has_one_writer() {
    let folder = tempfile::tempdir().unwrap();
    let path = || Some(folder.path().join("store.meta"));
    let empty = Embedded::open(path(), true, at(0)).unwrap();
    assert!(change(&empty, |_| Ok(())).is_err());
    assert!(
        !path().unwrap().exists(),
        "who only reads leaves nothing behind"
    );
    let store = Embedded::open(path(), false, at(0)).unwrap();
    change(&store, |s| insert(s, &document(1, "u1", "One"))).unwrap();
    assert_eq!(
        Embedded::open(path(), false, at(0)).unwrap_err().code(),
        "locked"
    );
    drop(store);
    let again = Embedded::open(path(), true, at(9)).unwrap();
    assert_eq!(found(&again, "u1", "", Sort::Name), ["one"]);
    let refused = change(&again, |s| insert(s, &document(2, "u1", "Two"))).unwrap_err();
    assert_eq!(refused.code(), "read_only");
}

#[test]
fn what_an_engine_holds_in_this_process_is_told() {
    engines(|engine, store| {
        change(store, |s| s.execute("update chain set seq = 0", &[])).unwrap();
        assert_eq!(
            store.memory().unwrap() > 0,
            engine != "postgres",
            "{engine}"
        );
    });
}
