//! Users and what their profiles say.

use ::duckdb::params;

use super::Duckdb;
use crate::error::Result;
use crate::query::Instant;
use crate::warehouse::{Page, Profiled};

pub(super) fn read(
    home: &Duckdb,
    keys: &[u32],
    page: &Page,
    as_of: Instant,
) -> Result<Vec<Profiled>> {
    let connection = home.connect()?;
    let fault = |error| home.fault(error);
    home.ask_about(&connection, keys)?;
    let mut statement = connection
        .prepare(
            "with shown as (
                select u.user_key, u.id, u.anonymous
                from users u
                where u.user_key in (select key from asked)
                order by u.id, u.anonymous
                limit ? offset ?
             ),
             said as (
                select
                    user_key,
                    arg_max(plan, (ts, content_hash)) filter (where plan is not null) as plan,
                    arg_max(properties, (ts, content_hash)) filter (where properties is not null) as properties
                from profiles
                where user_key in (select user_key from shown) and ts <= make_timestamp(?)
                group by user_key
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
