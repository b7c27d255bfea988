-- Every event has a number of its own, dense and never given twice, so that what is derived from a row (a property, an amount)
-- can be found by it; and the sums of all content hashes tell two states of the data apart without reading them.
alter table events add column row_key uinteger;
update events set row_key = rowid;

alter table meta add column row_keys uinteger;
alter table meta add column events_hash ubigint;
alter table meta add column records_hash ubigint;
update meta set
    row_keys = (select coalesce(max(row_key) + 1, 0) from events),
    events_hash = (select (coalesce(sum(content_hash::hugeint + epoch_us(ts)), 0) & 18446744073709551615::hugeint)::ubigint from events),
    records_hash = 0;
