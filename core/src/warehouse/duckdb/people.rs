//! Users and what their profiles say.

use ::duckdb::params;

use super::Duckdb;
use crate::error::Result;
use crate::query::Instant;
use crate::warehouse::{Page, Profiled};

pub(super) fn read(
    home: &Duckdb,
    keys: &[u32],
    merged: &[(u32, u32)],
    page: &Page,
    as_of: Instant,
) -> Result<Vec<Profiled>> {
    let connection = home.connect()?;
    let fault = |error| home.fault(error);
    home.ask_about(&connection, keys)?;
    let (merged, into): (Vec<u32>, Vec<u32>) = merged.iter().copied().unzip();
    home.put(
        &connection,
        "merged",
        &[("key", &merged), ("user_key", &into)],
    )?;
    let mut statement = connection
        .prepare(
            "with shown as (
                select u.user_key, u.id, u.anonymous
                from users u
                where u.user_key in (select key from asked)
                order by u.id, u.anonymous
                limit ? offset ?
             ),
             whose as (
                select user_key as key, user_key from shown
                union all
                select key, user_key from merged where user_key in (select user_key from shown)
             ),
             said as (
                select
                    w.user_key,
                    arg_max(p.plan, (p.ts, p.content_hash)) filter (where p.plan is not null) as plan,
                    arg_max(p.properties, (p.ts, p.content_hash)) filter (where p.properties is not null) as properties
                from profiles p
                join whose w on w.key = p.user_key
                where p.ts <= make_timestamp(?)
                group by w.user_key
             )
             select s.user_key, s.id, s.anonymous, p.plan, p.properties
             from shown s
             left join said p using (user_key)
             order by s.id, s.anonymous",
        )
        .map_err(fault)?;
    let values = params![page.limit as u64, page.offset as u64, as_of.micros()];
    let rows = statement
        .query_map(values, |row| {
            Ok(Profiled {
                user: row.get(0)?,
                id: row.get(1)?,
                anonymous: row.get(2)?,
                plan: row.get(3)?,
                properties: row.get(4)?,
            })
        })
        .and_then(Iterator::collect)
        .map_err(fault)?;
    Ok(rows)
}
