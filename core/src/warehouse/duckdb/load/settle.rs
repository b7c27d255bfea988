//! Decides between events of the same id (I1).

use arrow::array::AsArray;
use arrow::datatypes::UInt64Type;

use super::{Change, row_key};
use crate::error::Result;
use crate::warehouse::Committed;
use crate::warehouse::duckdb::unexpected;

/// Of so many duplicates the numbers are told.
const REPEATED: usize = 1_000_000;

/// By how much rows that came and went change the sums of all.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Exchanged {
    pub(super) unattributed: i64,
    pub(super) hash: u64,
    pub(super) first: Option<i64>,
}

impl Change<'_> {
    /// Decides between rows of the same id and applies it (I1).
    pub(super) fn settle(&mut self, result: &mut Committed) -> Result<()> {
        // The row with the lowest (received_at, content hash) stays, whatever the order in which they came. What follows
        // these in the order only decides between rows of equal content; a row that is stored has line -1 and no line
        // is lower.
        self.run(
            "create or replace temp table verdicts as
             with rivals as (
                select event_id, received_at, content_hash, ts, sent_at, -1::bigint as line, version
                from events
                where event_id in (select event_id from contested)
                union all
                select event_id, received_at, content_hash, ts, sent_at, line::bigint, null
                from contested
             )
             select
                event_id,
                content_hash,
                line,
                version,
                row_number() over by_worth as place,
                first_value(content_hash) over by_worth as best,
                first_value(line) over by_worth as winner,
                row_number() over (partition by event_id order by line) as arrival
             from rivals
             window by_worth as (
                partition by event_id
                order by received_at, content_hash, ts, sent_at nulls first, line
             )",
        )?;
        // New is the first that came of an id that is not in the table at all.
        let count = |condition: &str| {
            self.number(&format!(
                "select count(*)::ubigint from verdicts where {condition}"
            ))
        };
        result.accepted += count("line >= 0 and arrival = 1")?;
        result.duplicates += count("line >= 0 and arrival > 1")?;
        result.conflicts += count("place > 1 and content_hash <> best")?;
        let old = self.before.version;
        result.replaced += count(&format!("line = -1 and place > 1 and version <= {old}"))?;

        result
            .repeated
            .extend(self.lines("line", "line >= 0 and arrival > 1")?);
        // Told of the event that was kept out or, where a stored one was, of the one that took its place.
        result.conflicting.extend(self.lines(
            "case when line >= 0 then line else winner end",
            "place > 1 and content_hash <> best",
        )?);
        result.replacing.extend(self.lines(
            "winner",
            &format!("line = -1 and place > 1 and version <= {old}"),
        )?);
        let gone = "event_id in (select event_id from verdicts where line = -1 and place > 1)";
        let gone_sums = self.sums(gone)?;
        self.run(&format!("delete from events where {gone}"))?;
        let next = row_key(self.before.rows, self.fresh)?;
        row_key(next, self.contested)?;
        let kept = self
            .writer
            .connection
            .execute(
                "insert into events
                 select c.* exclude (line) replace ((? + row_number() over (order by c.line) - 1)::uinteger as row_key)
                 from contested c
                 join verdicts v on v.event_id = c.event_id and v.line = c.line::bigint
                 where v.place = 1",
                [next],
            )
            .map_err(|e| self.home.fault(e))?;
        self.settled = kept as u64;
        let came = self.sums(&format!(
            "version = {} and row_key >= {next}",
            self.version()
        ))?;
        // Where the first event of all went, another is the first.
        let first = [self.before.first, self.first].into_iter().flatten().min();
        let lost = gone_sums.first.is_some() && gone_sums.first == first;
        self.exchanged = (!lost).then_some(Exchanged {
            unattributed: came.unattributed - gone_sums.unattributed,
            hash: came.hash.wrapping_sub(gone_sums.hash),
            first: came.first,
        });
        Ok(())
    }

    /// Lines of verdicts, ascending.
    fn lines(&self, line: &str, condition: &str) -> Result<Vec<u64>> {
        let batches = self.home.rows(
            &self.writer.connection,
            &format!("select ({line})::ubigint as number from verdicts where {condition} order by number limit {REPEATED}"),
        )?;
        let mut lines = Vec::new();
        for batch in batches {
            let column = batch
                .columns()
                .first()
                .and_then(|c| c.as_primitive_opt::<UInt64Type>());
            lines.extend_from_slice(column.ok_or_else(unexpected)?.values());
        }
        Ok(lines)
    }

    /// The sums of some events.
    pub(super) fn sums(&self, condition: &str) -> Result<Exchanged> {
        self.writer
            .connection
            .query_row(
                &format!(
                    "select
                        (count(*) - count(user_key))::bigint,
                        (coalesce(sum(content_hash::hugeint + epoch_us(ts)), 0) & 18446744073709551615::hugeint)::ubigint,
                        epoch_us(min(ts))
                     from events where {condition}"
                ),
                [],
                |row| {
                    Ok(Exchanged {
                        unattributed: row.get(0)?,
                        hash: row.get(1)?,
                        first: row.get(2)?,
                    })
                },
            )
            .map_err(|e| self.home.fault(e))
    }
}
