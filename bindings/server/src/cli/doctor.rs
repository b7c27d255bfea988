//! `travelsense doctor`: how the intake of events does, of a server that runs or of a store that nobody has open, and what somebody should
//! look at.

use serde_json::Value;
use travelsense::{Error, Instant, Principal};

use super::failure::Failure;
use super::serve::runtime;
use super::store::Store;
use super::table::{Table, count};
use super::{Outcome, output};

/// Tells how the intake of events does, and what somebody should look at; the exit code is 1 where there is something
#[derive(Debug, clap::Args)]
#[command(
    group(clap::ArgGroup::new("whom").required(true).args(["data", "url"])),
    after_help = "Examples:
  travelsense doctor --url http://127.0.0.1:8080 --token \"$(travelsense token --sub me --role viewer)\"
  travelsense doctor --data ./data          # while no server has it open"
)]
pub(super) struct Doctor {
    /// The folder (or the DuckDB file) that holds the events
    #[arg(long, value_name = "DIR")]
    data: Option<std::path::PathBuf>,
    /// Where a server listens
    #[arg(long, value_name = "URL", requires = "token")]
    url: Option<String>,
    /// A token of the server
    #[arg(
        long,
        value_name = "TOKEN",
        env = "TRAVELSENSE_TOKEN",
        hide_env_values = true
    )]
    token: Option<String>,
    /// Writes JSON
    #[arg(long)]
    json: bool,
}

/// With so much of the capacity waiting, more arrives than can be stored.
const FULL: f64 = 0.8;

impl Doctor {
    /// Asks and tells.
    pub(super) fn run(self) -> Outcome {
        let (status, now) = match (&self.url, self.data) {
            (Some(url), _) => asked(url, self.token.as_deref().unwrap_or_default())?,
            (None, Some(data)) => {
                let store = Store { data }.read()?;
                let status = store.ingest_status(&Principal::owner())?;
                (
                    serde_json::to_value(status).map_err(Error::internal)?,
                    store.now(),
                )
            }
            (None, None) => return Err(Failure::invalid("--data or --url is required")),
        };
        let troubles = troubles(&status);
        if self.json {
            output::line(
                &serde_json::json!({ "status": status, "troubles": troubles }).to_string(),
            )?;
        } else {
            output::line(shown(&status, now).trim_end())?;
            for trouble in &troubles {
                output::line(&format!("! {trouble}"))?;
            }
        }
        match troubles.len() {
            0 => Ok(()),
            1 => Err(Failure::failed("there is something to look at")),
            some => Err(Failure::failed(format!(
                "there are {some} things to look at"
            ))),
        }
    }
}

/// What a server says of its intake, and what time it is there.
fn asked(url: &str, token: &str) -> Result<(Value, Instant), Failure> {
    let base = url.trim_end_matches('/');
    let place = format!("{base}/api/analytics-dashboard/events/status");
    let unreachable = |e: reqwest::Error| {
        Failure::failed(format!(
            "--url: `{base}` does not answer: {}",
            e.without_url()
        ))
    };
    let (code, text) = runtime()?.block_on(async {
        let client = reqwest::Client::builder().no_proxy().build();
        let request = client.map_err(unreachable)?.get(place).bearer_auth(token);
        let answer = request.send().await.map_err(unreachable)?;
        let code = answer.status();
        Ok::<_, Failure>((code, answer.text().await.map_err(unreachable)?))
    })?;
    let answer: Value = serde_json::from_str(&text).unwrap_or_default();
    if !code.is_success() {
        let why = answer.get("detail").and_then(Value::as_str);
        let why = why.unwrap_or("it is no server of travelsense");
        return Err(Failure::failed(format!(
            "--url: it answers {}: {why}",
            code.as_u16()
        )));
    }
    let status = answer.get("data").cloned().unwrap_or_default();
    Ok((status, super::token::now()))
}

/// What somebody should look at.
fn troubles(status: &Value) -> Vec<String> {
    let number = |name: &str| status.get(name).and_then(Value::as_u64).unwrap_or(0);
    let mut troubles = Vec::new();
    let parked = number("parked");
    if parked > 0 {
        troubles.push(format!(
            "{parked} batches could not be stored and wait beside the store: POST …/events/parked/replay stores them"
        ));
    }
    if number("waitingEvents") as f64 > FULL * number("capacity") as f64 && number("capacity") > 0 {
        troubles.push("more events arrive than can be stored".to_owned());
    }
    if let Some(why) = status.get("failing").and_then(Value::as_str) {
        troubles.push(format!("events cannot be stored: {why}"));
    }
    if let Some(why) = status.get("trouble").and_then(Value::as_str) {
        troubles.push(format!("what is stored cannot be read: {why}"));
    }
    let aside = status.pointer("/stored/setAside").and_then(Value::as_array);
    for path in aside.into_iter().flatten().filter_map(Value::as_str) {
        troubles.push(format!("`{path}` is damaged and was put aside"));
    }
    let sources = status.get("sources").and_then(Value::as_object);
    for (name, source) in sources.into_iter().flatten() {
        if let Some(why) = source.get("trouble").and_then(Value::as_str) {
            troubles.push(format!("{name} cannot be read: {why}"));
        }
    }
    troubles
}

fn shown(status: &Value, now: Instant) -> String {
    let number = |path: &str| status.pointer(path).and_then(Value::as_u64).unwrap_or(0);
    let stored = |path: &str| {
        let known = status.pointer(path).and_then(Value::as_u64);
        known.map_or_else(|| "-".to_owned(), count)
    };
    let ago = |value: Option<&Value>| {
        let at = value
            .and_then(Value::as_str)
            .and_then(|t| t.parse::<Instant>().ok());
        at.map_or_else(|| "-".to_owned(), |at| length(now.micros() - at.micros()))
    };
    let mut figures = Table::default();
    let lag = status.get("lag").and_then(Value::as_f64);
    for (name, figure) in [
        ("events stored", stored("/stored/events")),
        ("age of the latest", ago(status.pointer("/stored/latest"))),
        ("in quarantine", stored("/stored/quarantined")),
        ("waiting", count(number("/waitingEvents"))),
        ("  of at most", count(number("/capacity"))),
        ("batches waiting", count(number("/waitingBatches"))),
        ("batches turned away", count(number("/turnedAway"))),
        ("batches parked", count(number("/parked"))),
        (
            "lag of the last",
            lag.map_or_else(|| "-".to_owned(), |lag| format!("{:.1} ms", lag * 1e3)),
        ),
        ("accepted", count(number("/accepted"))),
        ("duplicates", count(number("/duplicates"))),
        ("refused", count(number("/refused"))),
    ] {
        figures.row(vec![name.to_owned(), figure]);
    }
    let reasons = status.get("refusedByCode").and_then(Value::as_object);
    for (code, refused) in reasons.into_iter().flatten() {
        let refused = refused.as_u64().unwrap_or(0);
        figures.row(vec![format!("  {code}"), count(refused)]);
    }
    figures.row(vec![
        "bytes of the log".to_owned(),
        count(number("/logBytes")),
    ]);
    let mut text = figures.render();
    let sources = status.get("sources").and_then(Value::as_object);
    let Some(sources) = sources.filter(|sources| !sources.is_empty()) else {
        return text;
    };
    text.push('\n');
    let mut table = Table::new(
        1,
        &["source", "accepted", "last batch", "latest event", "behind"],
    );
    for (name, source) in sources {
        let behind = source.get("behind").and_then(Value::as_u64);
        table.row(vec![
            name.clone(),
            count(source.get("accepted").and_then(Value::as_u64).unwrap_or(0)),
            ago(source.get("receivedAt")),
            ago(source.get("latest")),
            behind.map_or_else(|| "-".to_owned(), count),
        ]);
    }
    text.push_str(&table.render());
    text
}

/// A length of time in its largest unit.
fn length(micros: i64) -> String {
    let seconds = micros.max(0) / 1_000_000;
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_is_told_and_what_is_well_is_not() {
        let well = json!({"waitingEvents": 10, "capacity": 100, "parked": 0, "sources": {"http": {"accepted": 5}}});
        assert!(troubles(&well).is_empty());
        let ill = json!({
            "waitingEvents": 90, "capacity": 100, "parked": 2, "stored": {"setAside": ["a.log.damaged-1"]},
            "sources": {"nats X": {"trouble": "gone"}}, "trouble": "gone too", "failing": "there is no room",
        });
        assert_eq!(troubles(&ill).len(), 6);
        let text = shown(
            &json!({"stored": {"events": 1234}, "lag": 0.0042, "refusedByCode": {"required": 3}}),
            Instant::default(),
        );
        assert!(
            text.contains("1,234") && text.contains("4.2 ms") && text.contains("required"),
            "{text}"
        );
        assert_eq!([length(5_000_000), length(300_000_000)], ["5 s", "5 min"]);
    }
}
