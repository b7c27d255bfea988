//! Every rule of what the numbers mean has a proof, and the proof is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use travelsense_tests::vector;

/// The families of rules, and how many rules each has.
const FAMILIES: [(char, usize); 11] = [
    ('G', 5),
    ('F', 16),
    ('R', 11),
    ('L', 4),
    ('P', 2),
    ('T', 5),
    ('I', 5),
    ('C', 1),
    ('D', 2),
    ('S', 7),
    ('M', 2),
];

/// Where each rule is proven: by the vectors of a folder whose names begin with it (`funnel/F1`), or by a test in a file.
const PROOFS: &[(&str, &[&str])] = &[
    (
        "G1",
        &[
            "tests/tests/all/funnel.rs::the_engine_agrees_with_the_oracle_on_random_funnels_with_options",
            "tests/tests/all/retention.rs::the_engine_agrees_with_the_oracle_on_random_retention_tables",
            "tests/tests/all/realtime.rs::the_engine_agrees_with_the_oracle_on_random_realtime_figures",
        ],
    ),
    (
        "G2",
        &[
            "funnel/G2",
            "retention/G2",
            "realtime/G2",
            "tests/tests/all/pure.rs::a_funnel_has_the_same_bytes_for_any_order_batches_and_threads",
            "tests/tests/all/pure.rs::g2_a_small_memory_and_a_reopened_file_change_no_byte",
        ],
    ),
    (
        "G3",
        &[
            "tests/tests/all/retention.rs::a_whole_cohort_does_not_depend_on_how_wide_the_range_is",
            "tests/tests/all/laws.rs::g3_a_whole_bucket_of_a_funnel_does_not_depend_on_how_wide_the_range_is",
            "core/src/anomaly/tests/range.rs::a_day_a_month_and_the_last_bucket_alone_say_the_same_of_each_bucket",
        ],
    ),
    (
        "G4",
        &[
            "funnel/G4",
            "explain_difference/G4",
            "tests/tests/all/explain.rs::any_two_presets_over_any_vector_are_explained",
        ],
    ),
    (
        "G5",
        &[
            "retention/G5",
            "core/src/query/filter/tests.rs::a_filter_and_its_negation_part_all_values",
        ],
    ),
    ("F1", &["funnel/F1"]),
    ("F2", &["funnel/F2"]),
    ("F3", &["funnel/F3"]),
    ("F4", &["funnel/F4"]),
    ("F5", &["funnel/F5"]),
    ("F6", &["funnel/F6"]),
    ("F7", &["funnel/F7"]),
    (
        "F8",
        &[
            "funnel/F8",
            "tests/tests/all/funnel.rs::in_any_order_the_order_of_the_steps_changes_no_count",
        ],
    ),
    ("F9", &["funnel/F9"]),
    ("F10", &["funnel/F10"]),
    (
        "F11",
        &[
            "funnel/F11",
            "tests/tests/all/funnel.rs::single_valued_groups_and_buckets_of_attempts_add_up",
        ],
    ),
    ("F12", &["funnel/F12"]),
    ("F13", &["funnel/F13"]),
    ("F14", &["funnel/F14"]),
    ("F15", &["funnel/F15"]),
    ("F16", &["funnel/F16", "retention/F16", "realtime/F16"]),
    ("R1", &["retention/R1"]),
    ("R2", &["retention/R2"]),
    ("R3", &["retention/R3"]),
    ("R4", &["retention/R4"]),
    ("R5", &["retention/R5"]),
    ("R6", &["retention/R6"]),
    ("R7", &["retention/R7"]),
    ("R8", &["retention/R8"]),
    ("R9", &["retention/R9"]),
    (
        "R10",
        &[
            "retention/R10",
            "tests/tests/all/retention.rs::the_groups_of_a_breakdown_add_up_to_every_cell",
        ],
    ),
    ("R11", &["retention/R11"]),
    (
        "L1",
        &[
            "engagement/L1",
            "tests/tests/all/engagement.rs::l1_the_identities_of_the_lifecycle_hold",
        ],
    ),
    ("L2", &["engagement/L2"]),
    ("L3", &["adoption/L3"]),
    ("L4", &["engagement/L4"]),
    ("P1", &["journey/P1"]),
    ("P2", &["journey/P2"]),
    ("T1", &["retention/T1"]),
    ("T2", &["funnel/T2", "retention/T2"]),
    ("T3", &["retention/T3"]),
    ("T4", &["funnel/T4", "retention/T4"]),
    (
        "T5",
        &["tests/tests/all/rooms.rs::no_statement_leaves_the_calendar_to_the_engine"],
    ),
    ("I1", &["funnel/I1", "retention/I1", "realtime/I1"]),
    (
        "I2",
        &[
            "realtime/I2",
            "tests/tests/all/pure.rs::a_funnel_has_the_same_bytes_for_any_order_batches_and_threads",
        ],
    ),
    ("I3", &["funnel/I3", "retention/I3", "realtime/I3"]),
    ("I4", &["funnel/I4", "retention/I4", "realtime/I4"]),
    (
        "I5",
        &[
            "funnel/I5",
            "core/tests/identity.rs::i5_known_users_are_one_only_where_a_merge_says_so_and_it_can_be_taken_back",
        ],
    ),
    (
        "C1",
        &[
            "funnel/C1",
            "retention/C1",
            "journey/C1",
            "drop_off/C1",
            "core/tests/people.rs::c1_a_cohort_filters_and_breaks_down_as_of_the_question",
        ],
    ),
    (
        "D1",
        &[
            "core/tests/people.rs::d1_the_users_of_a_cell_are_its_number_and_come_in_pages",
            "tests/tests/all/funnel.rs::the_people_behind_a_number_are_as_many_as_it_says",
            "tests/tests/all/dropoff.rs::the_people_behind_drop_off_points_are_as_many_as_the_numbers_say",
            "tests/tests/all/dropoff.rs::the_people_behind_a_comparison_are_as_many_as_the_numbers_say",
            "tests/tests/all/retention.rs::the_people_behind_a_cell_are_as_many_as_it_says",
        ],
    ),
    (
        "D2",
        &[
            "core/tests/exports.rs::d2_an_export_says_the_numbers_of_the_screen",
            "core/tests/exports.rs::d2_a_cap_is_told_with_the_total_in_every_format",
        ],
    ),
    (
        "M1",
        &[
            "funnel/M1",
            "realtime/M1",
            "core/tests/ingest_tables.rs::payments_keep_their_exact_amounts",
        ],
    ),
    (
        "M2",
        &[
            "pickup/M2",
            "funnel/M2",
            "tests/tests/all/pickup.rs::the_engine_agrees_with_the_oracle_on_random_pickup",
            "tests/tests/all/pickup.rs::d1_every_number_of_pickup_has_its_people",
        ],
    ),
    (
        "S1",
        &[
            "drop_off/S1",
            "compare/S1",
            "core/src/query/rate.rs::wilson_interval_equals_the_published_example",
            "core/src/query/contrast.rs::the_interval_equals_the_published_examples",
            "core/src/query/contrast.rs::many_are_adjusted_together",
        ],
    ),
    (
        "S2",
        &[
            "funnel/S2",
            "retention/S2",
            "core/src/query/sample.rs::s2_the_interval_of_a_scaled_count_covers_what_it_is_of",
            "tests/tests/all/laws.rs::s2_a_sample_answers_as_a_store_of_its_users_alone",
        ],
    ),
    (
        "S3",
        &["core/src/query/quantiles.rs::quantiles_interpolate_linearly"],
    ),
    (
        "S4",
        &[
            "core/src/anomaly/tests.rs::normal_traffic_at_six_in_the_morning_is_no_alarm",
            "core/src/anomaly/tests.rs::a_bucket_that_is_not_complete_is_never_judged",
            "core/src/anomaly/tests.rs::what_never_varies_has_no_score_and_is_still_missed_when_it_is_gone",
            "core/src/anomaly/tests.rs::too_few_events_tell_nothing",
            "core/src/anomaly/tests.rs::at_most_one_false_alarm_a_week_and_every_incident_within_ten_minutes",
            "detect_anomalies/S4",
            "core/tests/alerts/main.rs::s4_what_was_not_as_usual_is_found_in_stored_events",
        ],
    ),
    (
        "S5",
        &[
            "core/src/alert/tests.rs::an_incident_goes_from_ok_over_pending_and_firing_to_resolved",
            "core/src/alert/tests.rs::one_notification_an_incident_and_never_none",
            "core/src/alert/tests.rs::a_silence_delays_a_notification_and_never_doubles_it",
            "core/tests/alerts/main.rs::s5_an_incident_is_told_once_whatever_is_run_again_and_whenever_it_stops",
        ],
    ),
    (
        "S6",
        &[
            "core/src/forecast/tests.rs::intervals_of_simulated_series_cover_what_they_say",
            "core/src/forecast/tests.rs::later_rows_never_change_an_earlier_forecast",
            "core/src/forecast/tests.rs::a_holiday_is_learnt_and_foretold",
            "tests/tests/all/predictive.rs::s6_a_prediction_is_beside_its_backtest_and_the_naive_one",
            "tests/tests/all/predictive.rs::s6_later_events_never_change_an_earlier_prediction",
        ],
    ),
    (
        "S7",
        &[
            "churn/S7",
            "value/S7",
            "tests/tests/all/churn.rs::s7_events_from_the_cut_off_on_change_no_score",
            "tests/tests/all/churn.rs::the_engine_agrees_with_the_oracle_on_who_counts_and_who_churned",
            "tests/tests/all/churn.rs::churn_of_cdnow_within_90_days_is_ranked_and_calibrated",
        ],
    ),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The vectors as `folder/name`, but for the golden answers, which are of no rule.
fn vectors() -> BTreeSet<String> {
    let folders = fs::read_dir(vector::folder()).expect("the vectors");
    let folders = folders.map(|entry| entry.expect("an entry").path());
    let mut found = BTreeSet::new();
    for folder in folders.filter(|path| path.is_dir() && !path.ends_with("golden")) {
        for entry in fs::read_dir(&folder).expect("a folder of vectors") {
            let path = entry.expect("an entry").path();
            let name = path.strip_prefix(vector::folder()).expect("below it");
            found.insert(name.display().to_string());
        }
    }
    found
}

/// The names of the test functions of a source.
fn tests(source: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut tested = false;
    for line in source.lines().map(str::trim) {
        if let Some(rest) = line.strip_prefix("fn ") {
            if tested {
                found.extend(rest.split('(').next());
            }
            tested = false;
        }
        tested |= line == "#[test]";
    }
    found
}

/// Whether the place of a proof holds one.
fn is_there(place: &str, vectors: &BTreeSet<String>) -> bool {
    match place.split_once("::") {
        Some((file, name)) => {
            fs::read_to_string(root().join(file)).is_ok_and(|source| tests(&source).contains(&name))
        }
        None => vectors
            .iter()
            .any(|vector| vector.starts_with(&format!("{place}-"))),
    }
}

#[test]
fn every_rule_is_proven_or_awaited() {
    let all: BTreeSet<String> = FAMILIES
        .iter()
        .flat_map(|(family, rules)| (1..=*rules).map(move |n| format!("{family}{n}")))
        .collect();
    let listed: Vec<&str> = PROOFS.iter().map(|proof| proof.0).collect();
    let each: BTreeSet<String> = listed.iter().map(|rule| (*rule).to_owned()).collect();
    assert_eq!(each, all, "every rule is listed");
    assert_eq!(each.len(), listed.len(), "every rule is listed once");
    let vectors = vectors();
    for (rule, places) in PROOFS {
        assert!(!places.is_empty(), "{rule} has no proof");
        for place in *places {
            assert!(
                is_there(place, &vectors),
                "the proof of {rule} is not there: {place}"
            );
            // A vector is of the rule that its name begins with.
            assert!(
                place.contains("::") || place.ends_with(&format!("/{rule}")),
                "{place} is no proof of {rule}"
            );
        }
    }
}
