//! Every format, mapping and source: the same events give the same store, and what cannot be read says why.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::disallowed_methods,
    clippy::indexing_slicing,
    reason = "the helpers of tests fail as tests do"
)]

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arrow::array::{
    Array as _, ArrayRef, AsArray, Date32Array, Date64Array, Decimal128Array, DictionaryArray,
    Float32Array, Float64Array, Int32Array, ListArray, RecordBatch, RecordBatchIterator,
    StringArray, StringViewArray, StructArray, TimestampMillisecondArray, UInt64Array,
};
use arrow::buffer::OffsetBuffer;
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use arrow::ipc::writer::{FileWriter, StreamWriter};
use serde_json::{Value, json};
use travelsense::access::{self, Permission};
use travelsense::events::{self, Format, ImportOptions, ImportReport, Mapping, Name, Source};
use travelsense::query::Zone;
use travelsense::warehouse::{Duckdb, Open, Warehouse};
use travelsense::{Error, ErrorKind, Instant, Principal};

fn now() -> Instant {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

fn memory() -> Duckdb {
    Duckdb::open(&Open {
        path: None,
        read_only: false,
        threads: Some(2),
        memory_limit: None,
        now: now(),
    })
    .unwrap()
}

fn try_import(w: &Duckdb, source: Source, mapping: &Mapping) -> Result<ImportReport, Error> {
    let scoped = access::grant(&Principal::owner(), Permission::ImportEvents, mapping).unwrap();
    let options = &mut ImportOptions::default();
    let report = events::import(w, &w.catalogue().unwrap(), source, &scoped, now(), options)?;
    assert_eq!(
        report.accepted + report.duplicates + report.refused,
        report.sent
    );
    Ok(report)
}

fn import(w: &Duckdb, source: Source, mapping: &Mapping) -> ImportReport {
    try_import(w, source, mapping).unwrap()
}

fn mapping(json: Value) -> Mapping {
    Mapping::parse(&json).unwrap()
}

fn texts(w: &Duckdb, sql: &'static str) -> Vec<String> {
    let mut all = Vec::new();
    for batch in w.select(sql, &[]).unwrap() {
        all.extend(
            batch
                .column(0)
                .as_string::<i32>()
                .iter()
                .map(|t| t.unwrap_or("null").to_owned()),
        );
    }
    all
}

fn write(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    RecordBatch::try_from_iter(columns).unwrap()
}

fn batches(batch: &RecordBatch) -> Source {
    Source::Batches(Box::new(RecordBatchIterator::new(
        [Ok(batch.clone())],
        batch.schema(),
    )))
}

/// Writes Parquet by the engine's own writer.
fn parquet(path: &Path, select: &str) {
    duckdb::Connection::open_in_memory()
        .unwrap()
        .execute_batch(&format!(
            "copy ({select}) to '{}' (format parquet)",
            path.display()
        ))
        .unwrap();
}

#[test]
fn the_same_events_in_every_format_are_the_same_store() {
    let folder = tempfile::tempdir().unwrap();
    let ndjson = write(
        folder.path(),
        "e.ndjson",
        &[
            r#"{"event_id":"a","user_id":"u","name":"search","ts":"2026-02-01T10:00:00Z","client_seq":1,"properties":{"place":"Rome","n":2}}"#,
            r#"{"event_id":"b","name":"pay","ts":"2026-02-01T10:00:00.5Z","properties":{"x":1.5}}"#,
        ]
        .join("\n"),
    );
    let csv = write(
        folder.path(),
        "e.csv",
        "event_id,user_id,name,ts,client_seq,place,n,x\n\
         a,u,search,2026-02-01T10:00:00Z,1,Rome,2,\n\
         b,,pay,2026-02-01 10:00:00.5,,,,1.5\n",
    );
    let tsv = write(
        folder.path(),
        "e.tsv",
        &std::fs::read_to_string(&csv).unwrap().replace(',', "\t"),
    );
    let rows = batch(vec![
        ("event_id", Arc::new(StringArray::from(vec!["a", "b"]))),
        (
            "user_id",
            Arc::new(StringViewArray::from(vec![Some("u"), None])),
        ),
        (
            "name",
            Arc::new(DictionaryArray::<Int32Type>::from_iter(["search", "pay"])),
        ),
        (
            "ts",
            Arc::new(
                TimestampMillisecondArray::from(vec![1_769_940_000_000, 1_769_940_000_500])
                    .with_timezone("Europe/Paris"),
            ),
        ),
        (
            "client_seq",
            Arc::new(Float64Array::from(vec![Some(1.0), Some(f64::NAN)])),
        ),
        (
            "place",
            Arc::new(StringArray::from(vec![Some("Rome"), None])),
        ),
        ("n", Arc::new(UInt64Array::from(vec![Some(2), None]))),
        ("x", Arc::new(Float32Array::from(vec![None, Some(1.5)]))),
    ]);
    let (stream, file) = (
        folder.path().join("stream.arrow"),
        folder.path().join("file.arrow"),
    );
    let mut writer =
        StreamWriter::try_new(std::fs::File::create(&stream).unwrap(), &rows.schema()).unwrap();
    writer.write(&rows).unwrap();
    writer.finish().unwrap();
    let mut writer =
        FileWriter::try_new(std::fs::File::create(&file).unwrap(), &rows.schema()).unwrap();
    writer.write(&rows).unwrap();
    writer.finish().unwrap();
    let columns = folder.path().join("e.parquet");
    parquet(
        &columns,
        "select * from (values
            ('a', 'u', 'search', timestamp '2026-02-01 10:00:00', 1, 'Rome', 2::utinyint, null),
            ('b', null, 'pay', timestamp '2026-02-01 10:00:00.5', null, null, null, 1.5::double)
         ) t(event_id, user_id, name, ts, client_seq, place, n, x)",
    );

    let sources = [
        Source::Path(ndjson.clone()),
        Source::Path(csv),
        Source::Path(tsv),
        Source::Path(stream),
        Source::Path(file),
        Source::Path(columns),
        batches(&rows),
        Source::File(ndjson, Format::Ndjson),
    ];
    let mut digests = Vec::new();
    for source in sources {
        let shown = format!("{source:?}");
        let w = memory();
        let report = import(&w, source, &Mapping::default());
        assert_eq!(
            (report.sent, report.accepted),
            (2, 2),
            "{shown}: {report:?}"
        );
        digests.push(w.content_digest().unwrap());
    }
    digests.dedup();
    assert_eq!(digests.len(), 1, "{digests:?}");
}

#[test]
fn typed_columns_become_typed_properties() {
    let w = memory();
    let list = ListArray::from_iter_primitive::<Int32Type, _, _>([Some(vec![Some(1), None])]);
    let inner = StructArray::from(vec![(
        Arc::new(Field::new("city", DataType::Utf8, true)),
        Arc::new(StringArray::from(vec!["Rome"])) as ArrayRef,
    )]);
    let rows = batch(vec![
        ("time", Arc::new(Date32Array::from(vec![20_000]))),
        ("name", Arc::new(StringArray::from(vec!["payment"]))),
        ("user_id", Arc::new(Int32Array::from(vec![7]))),
        (
            "amount",
            Arc::new(
                Decimal128Array::from(vec![123_456_789_012_345_678])
                    .with_precision_and_scale(20, 4)
                    .unwrap(),
            ),
        ),
        ("big", Arc::new(UInt64Array::from(vec![u64::MAX]))),
        ("list", Arc::new(list)),
        ("where", Arc::new(inner)),
        ("day", Arc::new(Date32Array::from(vec![0]))),
        ("at", Arc::new(TimestampMillisecondArray::from(vec![1]))),
        (
            "exact",
            Arc::new(TimestampMillisecondArray::from(vec![1]).with_timezone("UTC")),
        ),
        ("tenth", Arc::new(Float32Array::from(vec![0.1]))),
    ]);
    assert_eq!(import(&w, batches(&rows), &Mapping::default()).accepted, 1);
    assert_eq!(
        texts(&w, "select properties from events"),
        [
            r#"{"amount":"12345678901234.5678","at":"1970-01-01T00:00:00.001","big":18446744073709551615,"day":"1970-01-01","exact":"1970-01-01T00:00:00.001Z","list":[1,null],"tenth":0.1,"where":{"city":"Rome"}}"#
        ]
    );
    assert_eq!(
        texts(&w, "select ts::varchar from events"),
        ["2024-10-04 00:00:00"]
    );
    assert_eq!(
        texts(&w, "select amount::varchar from events"),
        ["12345678901234.5678"]
    );
}

#[test]
fn a_number_no_json_can_hold_is_refused_and_none_is_none() {
    let w = memory();
    let rows = batch(vec![
        ("name", Arc::new(StringArray::from(vec!["a", "a"]))),
        (
            "ts",
            Arc::new(StringArray::from(vec!["2026-02-01", "2026-02-01"])),
        ),
        (
            "x",
            Arc::new(Float64Array::from(vec![f64::NAN, f64::INFINITY])),
        ),
    ]);
    let report = import(&w, batches(&rows), &Mapping::default());
    assert_eq!((report.accepted, report.refused), (1, 1));
    let refusal = &report.refusals[0];
    assert_eq!(
        (
            refusal.line,
            refusal.errors[0].field.as_str(),
            refusal.errors[0].code
        ),
        (2, "x", "not_finite")
    );
    assert_eq!(texts(&w, "select properties from events"), ["null"]);
}

#[test]
fn columns_are_mapped_by_name_and_the_rest_are_properties() {
    let w = memory();
    let folder = tempfile::tempdir().unwrap();
    let csv = write(
        folder.path(),
        "e.csv",
        "who,when,what,userId,time\nu1,1769940000,search,other,5\n",
    );
    let m = mapping(json!({"user": "who", "time": "when", "name": "what", "timeUnit": "s"}));
    assert_eq!(import(&w, Source::Path(csv), &m).accepted, 1);
    assert_eq!(texts(&w, "select id from users"), ["u1"]);
    assert_eq!(w.names().unwrap(), ["search"]);
    assert_eq!(
        texts(&w, "select ts::varchar from events"),
        ["2026-02-01 10:00:00"]
    );
    assert_eq!(
        texts(&w, "select properties from events"),
        [r#"{"time":5,"userId":"other"}"#]
    );
}

#[test]
fn a_time_without_an_offset_is_one_of_the_zone_of_the_mapping() {
    let folder = tempfile::tempdir().unwrap();
    let csv = write(
        folder.path(),
        "e.csv",
        "ts\n2026-02-01\n2026-02-01 10:00:00\n2026-02-01T10:00:00Z\n",
    );
    let rows = batch(vec![(
        "ts",
        Arc::new(TimestampMillisecondArray::from(vec![1_769_940_000_000])),
    )]);
    let m = Mapping {
        name: Some(Name::Constant("a".to_owned())),
        timezone: Zone::named("America/New_York").unwrap(),
        ..Mapping::default()
    };
    let w = memory();
    import(&w, Source::Path(csv), &m);
    import(&w, batches(&rows), &m);
    assert_eq!(
        texts(&w, "select ts::varchar from events order by ts"),
        [
            "2026-02-01 05:00:00",
            "2026-02-01 10:00:00",
            "2026-02-01 15:00:00",
            "2026-02-01 15:00:00"
        ]
    );
}

#[test]
fn a_column_that_is_not_there_is_named_beside_those_that_are() {
    let w = memory();
    let folder = tempfile::tempdir().unwrap();
    let csv = write(folder.path(), "e.csv", "customer,date\n1,2026-02-01\n");
    let m = mapping(json!({"user": "client", "time": "day", "name": {"constant": "purchase"}}));
    let error = try_import(&w, Source::Path(csv.clone()), &m).unwrap_err();
    let found: Vec<(&str, &str)> = error
        .field_errors()
        .iter()
        .map(|e| (e.field.as_str(), e.code))
        .collect();
    assert_eq!(
        found,
        [("user", "unknown_column"), ("time", "unknown_column")]
    );
    assert_eq!(
        error.field_errors()[0].message,
        "there is no column `client`; the columns are `customer`, `date`"
    );
    // Not even the usual names are there: the file as a whole is wrong, not each of its lines.
    let error = try_import(&w, Source::Path(csv), &Mapping::default()).unwrap_err();
    let found: Vec<(&str, &str)> = error
        .field_errors()
        .iter()
        .map(|e| (e.field.as_str(), e.code))
        .collect();
    assert_eq!(
        found,
        [("name", "unknown_column"), ("time", "unknown_column")]
    );
    assert_eq!(w.head().unwrap().version, 0);
}

#[test]
fn broken_lines_of_csv_are_refused_by_line() {
    let w = memory();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.csv");
    let mut bytes =
        "\u{feff}name,ts,note\na,2026-02-01,\"two\nlines\"\nb,2026-02-01\nc,2026-02-01,"
            .as_bytes()
            .to_vec();
    bytes.extend_from_slice(b"\xff\xfe\nd,2026-02-01,\"a \"\"quote\"\"\"\n");
    std::fs::write(&path, bytes).unwrap();
    let report = import(&w, Source::Path(path), &Mapping::default());
    assert_eq!((report.sent, report.accepted), (4, 2));
    let listed: Vec<(u64, &str, &str)> = report
        .refusals
        .iter()
        .map(|r| (r.line, r.errors[0].field.as_str(), r.errors[0].code))
        .collect();
    assert_eq!(
        listed,
        [(4, "line", "wrong_column_count"), (5, "note", "malformed")]
    );
    assert_eq!(
        texts(&w, "select properties from events order by properties"),
        [r#"{"note":"a \"quote\""}"#, r#"{"note":"two\nlines"}"#]
    );
}

#[test]
fn a_path_is_one_file_and_no_pattern_and_its_folders_are_no_columns() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("userId=evil").join("year=2024");
    std::fs::create_dir_all(&inner).unwrap();
    let rows = |n: u32| {
        format!(
            "select 'p' || i as \"userId\", 'a' as name, timestamp '2026-01-01' as ts from range({n}) t(i)"
        )
    };
    for (name, n) in [
        ("a[1].parquet", 3),
        ("a1.parquet", 5),
        ("b*.parquet", 2),
        ("bb.parquet", 7),
        ("c?.parquet", 1),
        ("cc.parquet", 9),
    ] {
        parquet(&folder.path().join(name), &rows(n));
    }
    parquet(&inner.join("e.parquet"), &rows(4));
    for (path, n) in [
        ("a[1].parquet", 3),
        ("b*.parquet", 2),
        ("c?.parquet", 1),
        ("userId=evil/year=2024/e.parquet", 4),
    ] {
        let w = memory();
        let report = import(
            &w,
            Source::Path(folder.path().join(path)),
            &Mapping::default(),
        );
        assert_eq!((report.sent, report.accepted), (n, n), "{path}");
        assert_eq!(
            texts(&w, "select id from users order by id limit 1"),
            ["p0"],
            "{path}"
        );
        assert_eq!(
            texts(&w, "select distinct coalesce(properties, '-') from events"),
            ["-"],
            "{path}"
        );
    }
}

#[test]
fn a_quote_that_is_never_closed_is_an_error_and_a_device_is_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let endless = "u,a,2026-01-01\n".repeat((17 << 20) / 15);
    let path = write(
        folder.path(),
        "e.csv",
        &format!("userId,name,ts\n\"u,a,2026-01-01\n{endless}"),
    );
    let w = memory();
    let error = try_import(&w, Source::Path(path), &Mapping::default()).unwrap_err();
    assert_eq!(error.field_errors()[0].code, "malformed");
    assert_eq!(w.head().unwrap().events, 0);
    #[cfg(unix)]
    {
        let device = Source::File("/dev/zero".into(), Format::Csv);
        let error = try_import(&w, device, &Mapping::default()).unwrap_err();
        assert_eq!(error.field_errors()[0].code, "not_a_file");
    }
}

#[test]
fn a_source_that_cannot_be_read_says_why() {
    let w = memory();
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str, text: &str| write(folder.path(), name, text);
    let failed = |source: Source| {
        let shown = format!("{source:?}");
        let error = try_import(&w, source, &Mapping::default()).unwrap_err();
        let code = error
            .field_errors()
            .first()
            .map_or(error.code(), |e| e.code);
        println!("{shown}: {error}");
        (error.kind(), code)
    };
    for extension in ["ndjson", "csv", "parquet", "arrow"] {
        let missing = folder.path().join(format!("none.{extension}"));
        assert_eq!(
            failed(Source::Path(missing)),
            (ErrorKind::Storage, "not_found")
        );
        let inside = folder.path().join(format!("folder.{extension}"));
        std::fs::create_dir(&inside).unwrap();
        assert_eq!(
            failed(Source::Path(inside)),
            (ErrorKind::Storage, "is_a_folder")
        );
    }
    assert_eq!(
        failed(Source::Path(at("e.xml", "<a/>"))),
        (ErrorKind::Invalid, "unknown_format")
    );
    assert_eq!(
        failed(Source::Path(at("e", "x"))),
        (ErrorKind::Invalid, "unknown_format")
    );
    assert_eq!(
        failed(Source::Path(at("array.json", "[{\"name\": 1}]"))),
        (ErrorKind::Invalid, "not_ndjson")
    );
    assert_eq!(
        failed(Source::Path(at("empty.csv", ""))),
        (ErrorKind::Invalid, "no_columns")
    );
    assert_eq!(
        failed(Source::Path(at("twice.csv", "name,name\n"))),
        (ErrorKind::Invalid, "duplicate_column")
    );
    assert_eq!(
        failed(Source::Path(at("text.parquet", &"no parquet ".repeat(99)))),
        (ErrorKind::Invalid, "malformed")
    );
    assert_eq!(
        failed(Source::Path(at("empty.parquet", ""))),
        (ErrorKind::Invalid, "malformed")
    );
    assert_eq!(
        failed(Source::Path(at("text.arrow", &"no arrow ".repeat(99)))),
        (ErrorKind::Invalid, "malformed")
    );
    assert_eq!(
        failed(Source::Path(at("cut.arrow", "ARROW1"))),
        (ErrorKind::Invalid, "malformed")
    );
    let binary = batch(vec![(
        "blob",
        Arc::new(arrow::array::BinaryArray::from(vec![b"x".as_slice()])),
    )]);
    assert_eq!(
        failed(batches(&binary)),
        (ErrorKind::Invalid, "unsupported_type")
    );
    assert_eq!(w.head().unwrap().version, 0);
}

#[test]
fn a_date_beyond_all_years_is_refused_by_its_row() {
    let w = memory();
    let names = |n: usize| -> ArrayRef { Arc::new(StringArray::from(vec!["a"; n])) };
    let times = |n: usize| -> ArrayRef { Arc::new(StringArray::from(vec!["2026-02-01"; n])) };
    let days = vec![106_751_992, i32::MIN, i32::MAX, 20_000];
    let millis = vec![i64::MAX, i64::MIN, 1_728_000_000_000];
    let dates: [ArrayRef; 2] = [
        Arc::new(Date32Array::from(days)),
        Arc::new(Date64Array::from(millis)),
    ];
    for dates in dates {
        let n = dates.len();
        for columns in [
            vec![("name", names(n)), ("ts", dates.clone())],
            vec![("name", names(n)), ("ts", times(n)), ("day", dates.clone())],
        ] {
            let field = columns.last().unwrap().0;
            let report = import(&w, batches(&batch(columns)), &Mapping::default());
            assert_eq!((report.accepted, report.refused), (1, n as u64 - 1));
            for refusal in &report.refusals {
                let error = &refusal.errors[0];
                assert_eq!((error.field.as_str(), error.code), (field, "invalid_date"));
            }
        }
    }
    assert_eq!(
        texts(
            &w,
            "select properties from events where properties is not null"
        ),
        [r#"{"day":"2024-10-04"}"#; 2]
    );
}

#[test]
fn columns_of_parquet_have_the_names_that_stand_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let named = |other: &str| {
        let path = folder.path().join(format!("{other}.parquet"));
        let list = "'a' as name, '2026-02-01' as ts, {'x': {'y': 3}} as deep";
        parquet(&path, &format!("select {list}, 1 as first, 2 as other"));
        // The engine writes no name twice: what others do is done to the bytes.
        let mut bytes = std::fs::read(&path).unwrap();
        for at in 0..bytes.len() - 5 {
            if &bytes[at..at + 5] == b"other" {
                bytes[at..at + 5].copy_from_slice(other.as_bytes());
            }
        }
        std::fs::write(&path, bytes).unwrap();
        Source::Path(path)
    };
    let w = memory();
    let error = try_import(&w, named("first"), &Mapping::default()).unwrap_err();
    assert_eq!(error.field_errors()[0].code, "duplicate_column", "{error}");
    assert_eq!(w.head().unwrap().version, 0);
    assert_eq!(import(&w, named("FIRST"), &Mapping::default()).accepted, 1);
    assert_eq!(
        texts(&w, "select properties from events"),
        [r#"{"FIRST":2,"deep":{"x":{"y":3}},"first":1}"#]
    );
}

#[test]
fn properties_nested_too_deep_are_refused_by_name() {
    let w = memory();
    let folder = tempfile::tempdir().unwrap();
    let deep = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
    let lines = [
        format!(r#"{{"name":"a","ts":"2026-02-01","x":{}}}"#, deep(126)),
        format!(r#"{{"name":"a","ts":"2126-02-01","x":{}}}"#, deep(126)),
        format!(r#"{{"name":"a","ts":"2026-02-01","x":{}}}"#, deep(100)),
        format!(
            r#"{{"name":"a","ts":"2026-02-01","properties":{{"x":{}}}}}"#,
            deep(100)
        ),
        format!(r#"{{"name":"a","ts":"2026-02-01","x":{}}}"#, deep(99)),
        // This one is kept aside.
        format!(r#"{{"name":"a","ts":"2126-02-01","x":{}}}"#, deep(99)),
    ];
    let path = write(folder.path(), "e.ndjson", &lines.join("\n"));
    let report = import(&w, Source::Path(path), &Mapping::default());
    assert_eq!(
        (report.accepted, report.refused, report.quarantined),
        (1, 5, 1)
    );
    let codes: Vec<_> = report
        .refusals
        .iter()
        .map(|r| (r.line, r.errors[0].field.as_str(), r.errors[0].code))
        .collect();
    assert_eq!(
        codes,
        [
            (1, "x", "too_deep"),
            (2, "x", "too_deep"),
            (3, "x", "too_deep"),
            (4, "properties", "too_deep"),
            (6, "ts", "clock_in_future")
        ]
    );
    for text in texts(
        &w,
        "select event from quarantine union all select properties from events",
    ) {
        serde_json::from_str::<Value>(&text).unwrap();
    }
}

#[test]
fn a_type_nested_too_deep_is_refused_by_name() {
    let w = memory();
    let nested = |depth: usize| {
        (0..depth).fold(
            Arc::new(Int32Array::from(vec![1])) as ArrayRef,
            |inner, _| {
                let field = Arc::new(Field::new("item", inner.data_type().clone(), true));
                let offsets = OffsetBuffer::from_lengths([inner.len()]);
                Arc::new(ListArray::new(field, offsets, inner, None))
            },
        )
    };
    let rows = |depth: usize| {
        batch(vec![
            ("name", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
            ("ts", Arc::new(StringArray::from(vec!["2026-02-01"]))),
            ("deep", nested(depth)),
        ])
    };
    assert_eq!(
        import(&w, batches(&rows(63)), &Mapping::default()).accepted,
        1
    );
    let error = try_import(&w, batches(&rows(64)), &Mapping::default()).unwrap_err();
    let error = &error.field_errors()[0];
    assert_eq!(
        (error.field.as_str(), error.code),
        ("deep", "unsupported_type")
    );
}

#[test]
fn a_reader_that_panics_is_malformed() {
    let w = memory();
    let rows = batch(vec![
        ("name", Arc::new(StringArray::from(vec!["a"])) as ArrayRef),
        ("ts", Arc::new(StringArray::from(vec!["2026-02-01"]))),
    ]);
    let damaged: Option<Option<Result<RecordBatch, arrow::error::ArrowError>>> = None;
    let mut damaged = Some(damaged);
    let batches = std::iter::from_fn(move || damaged.take().unwrap().unwrap());
    let source = Source::Batches(Box::new(RecordBatchIterator::new(batches, rows.schema())));
    let error = try_import(&w, source, &Mapping::default()).unwrap_err();
    assert_eq!(error.field_errors()[0].code, "malformed");
    assert_eq!(w.head().unwrap().version, 0);
}

#[test]
fn a_reader_that_fails_on_its_way_leaves_nothing() {
    let w = memory();
    let rows = batch(vec![
        ("name", Arc::new(StringArray::from(vec!["a"]))),
        ("ts", Arc::new(StringArray::from(vec!["2026-02-01"]))),
    ]);
    let schema = rows.schema();
    let broken = arrow::error::ArrowError::ExternalError("the other side is gone".into());
    let source = Source::Batches(Box::new(RecordBatchIterator::new(
        [Ok(rows), Err(broken)],
        schema,
    )));
    let error = try_import(&w, source, &Mapping::default()).unwrap_err();
    assert!(
        error.message().contains("the other side is gone"),
        "{error}"
    );
    assert_eq!(w.head().unwrap().version, 0);
    assert_eq!(texts(&w, "select count(*)::varchar from events"), ["0"]);
}

#[test]
fn an_empty_source_is_no_error_and_no_change() {
    let w = memory();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        import(
            &w,
            Source::Path(write(folder.path(), "e.ndjson", "")),
            &Mapping::default()
        )
        .sent,
        0
    );
    assert_eq!(
        import(
            &w,
            Source::Path(write(folder.path(), "e.csv", "name,ts\n")),
            &Mapping::default()
        )
        .sent,
        0
    );
    let none = RecordBatch::new_empty(Arc::new(Schema::new(vec![
        Field::new("name", DataType::Utf8, true),
        Field::new("ts", DataType::Utf8, true),
    ])));
    assert_eq!(import(&w, batches(&none), &Mapping::default()).sent, 0);
    assert_eq!(w.head().unwrap().version, 0);
}

#[test]
fn a_second_import_of_a_large_file_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("e.parquet");
    parquet(
        &path,
        "select uuid() as event_id, 'u' || (i % 5000) as user_id, 'n' || (i % 9) as name,
            timestamp '2026-01-01' + interval (i) second as ts, i as client_seq
         from range(200000) t(i)",
    );
    let w = memory();
    let first = import(&w, Source::Path(path.clone()), &Mapping::default());
    assert_eq!((first.accepted, first.version), (200_000, 1));
    let (head, digest) = (w.head().unwrap(), w.content_digest().unwrap());
    assert_eq!((head.events, head.users), (200_000, 5_000));
    let again = import(&w, Source::Path(path), &Mapping::default());
    assert_eq!(
        (again.accepted, again.duplicates, again.conflicts),
        (0, 200_000, 0)
    );
    assert_eq!(w.head().unwrap(), head);
    assert_eq!(w.content_digest().unwrap(), digest);
    let mut scanned = 0;
    let snapshot = w.snapshot().unwrap();
    snapshot
        .scan(0, &mut |rows| {
            scanned += rows.user.len();
            Ok(())
        })
        .unwrap();
    assert_eq!(scanned, 200_000);
}

/// The real data is not part of the project.
fn real(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data")
        .join(name);
    if path.exists() {
        return Some(path);
    }
    println!("not run: `{}` is not there", path.display());
    None
}

#[test]
fn real_purchases_load_from_csv() {
    let Some(path) = real("customers_cdnow_transactions.csv") else {
        return;
    };
    let w = memory();
    let m =
        mapping(json!({"user": "customer_id", "time": "date", "name": {"constant": "purchase"}}));
    let report = import(&w, Source::Path(path), &m);
    assert_eq!(
        (report.sent, report.accepted, report.refused),
        (69_659, 69_659, 0)
    );
    let head = w.head().unwrap();
    assert_eq!(
        (head.events, head.users, head.unattributed),
        (69_659, 23_570, 0)
    );
    assert_eq!(head.first, Some(852_076_800_000_000));
    assert_eq!(
        texts(&w, "select max(ts)::varchar from events"),
        ["1998-06-30 00:00:00"]
    );
    assert_eq!(
        texts(&w, "select id from users order by user_key limit 1"),
        ["00001"]
    );
    assert_eq!(
        texts(&w, "select properties from events where user_key = 0"),
        [r#"{"cds":1,"value":11.77}"#]
    );
}

#[test]
fn real_cases_load_from_parquet() {
    let m = mapping(json!({"user": "case", "time": "ts", "name": "activity"}));
    for (name, rows) in [
        ("traffic_fines.parquet", 34_724),
        ("sepsis.parquet", 15_214),
    ] {
        let Some(path) = real(name) else { continue };
        let w = memory();
        let report = import(&w, Source::Path(path), &m);
        assert_eq!(
            (report.sent, report.accepted, report.refused),
            (rows, rows, 0),
            "{report:?}"
        );
        assert_eq!(w.head().unwrap().events, rows);
        assert!(w.names().unwrap().len() > 5);
    }
}

/// `cargo test --test ingest_formats -- --ignored --nocapture how_fast`: rows a second, beside the engine's own load.
#[test]
#[ignore = "a measurement"]
fn how_fast_events_load() {
    let rows = 3_000_000u32;
    let folder = tempfile::tempdir().unwrap();
    let simple = "uuid() as event_id, lpad((hash(i) % 200000)::varchar, 24, 'f') as user_id,
        'n' || (hash(i + 5) % 9) as name, timestamp '2025-06-01' + interval (i) second as ts";
    let rich = format!(
        "{simple}, 's' || (i // 9) as session_id, i as client_seq,
         json_object('country', 'FR', 'n', i % 100, 'device', 'phone', 'plan', 'free')::varchar as properties"
    );
    for (shown, select) in [("simple", simple), ("with properties", rich.as_str())] {
        let path = folder.path().join("e.parquet");
        parquet(&path, &format!("select {select} from range({rows}) t(i)"));
        let (begin, cpu) = (std::time::Instant::now(), processor());
        let own = duckdb::Connection::open(folder.path().join("own.db")).unwrap();
        own.execute_batch(&format!(
            "set threads = 2; create or replace table e as from '{}'; checkpoint",
            path.display()
        ))
        .unwrap();
        let (plain, plain_cpu) = (begin.elapsed(), processor() - cpu);
        let at = folder.path().join(format!("{shown}.db"));
        let w = Duckdb::open(&Open {
            path: Some(at),
            read_only: false,
            threads: Some(2),
            memory_limit: None,
            now: now(),
        })
        .unwrap();
        for round in ["first", "again"] {
            let (begin, cpu) = (std::time::Instant::now(), processor());
            let report = import(&w, Source::Path(path.clone()), &Mapping::default());
            let (took, cpu) = (begin.elapsed(), processor() - cpu);
            println!(
                "{shown}, {round}: {:.0} events/s ({took:.2?}, {cpu:.2} s of all processors; accepted {}, duplicates {}); the engine's own table: {plain:.2?}, {plain_cpu:.2} s",
                f64::from(rows) / took.as_secs_f64(),
                report.accepted,
                report.duplicates,
            );
        }
        let begin = std::time::Instant::now();
        for i in 0..100 {
            let events: Vec<Value> = (0..100)
                .map(|n| json!({"eventId": format!("b{i}-{n}"), "userId": format!("u{n}"), "name": "n1", "ts": "2026-02-01"}))
                .collect();
            let events = Value::Array(events);
            let scoped =
                access::grant(&Principal::owner(), Permission::ImportEvents, &events).unwrap();
            events::ingest(&w, &w.catalogue().unwrap(), &scoped, now()).unwrap();
        }
        println!(
            "{shown}: 100 batches of 100, durable: {:.0} events/s",
            10_000.0 / begin.elapsed().as_secs_f64()
        );
    }
}

/// Seconds that this process has used of all processors, which other work on the machine does not change.
fn processor() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap();
    ticks / 100.0
}
