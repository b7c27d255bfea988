//! A digest of all stored events: equal for equal events, whatever their order, keys and versions.

use arrow::array::AsArray;
use twox_hash::XxHash3_128;

use super::{Duckdb, unexpected};
use crate::error::Result;

pub(super) fn of_events(home: &Duckdb) -> Result<String> {
    let connection = home.connect()?;
    let mut statement = connection
        .prepare(
            "select to_json({
                id: e.event_id,
                text: e.event_id_text,
                user: u.id,
                known: not u.anonymous,
                anonymous: a.id,
                session: e.session_id,
                name: n.name,
                ts: epoch_us(e.ts),
                client_ts: epoch_us(e.client_ts),
                sent_at: epoch_us(e.sent_at),
                received_at: epoch_us(e.received_at),
                seq: e.client_seq,
                hash: e.content_hash,
                properties: e.properties,
                amount: e.amount::varchar,
                currency: e.currency
             })::varchar
             from events e
             join names n using (name_key)
             left join users u on u.user_key = e.user_key
             left join users a on a.user_key = e.anonymous_key",
        )
        .map_err(|e| home.fault(e))?;
    drop(statement.stream_arrow([]).map_err(|e| home.fault(e))?);
    let (mut count, mut sum) = (0u64, 0u128);
    while let Some(rows) = statement.step().map_err(|e| home.fault(e))? {
        let texts = rows
            .columns()
            .first()
            .and_then(|c| c.as_string_opt::<i32>())
            .ok_or_else(unexpected)?;
        for text in texts.iter().flatten() {
            count += 1;
            // A sum does not depend on the order, and other than an exclusive or it sees a row that is there twice.
            sum = sum.wrapping_add(XxHash3_128::oneshot(text.as_bytes()));
        }
    }
    Ok(format!("{count}-{sum:032x}"))
}
