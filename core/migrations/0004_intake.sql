-- By these a log beside the file knows that it belongs to this file, and what of it the file holds already.
alter table meta add column store hugeint;
alter table meta add column log_position ubigint;
update meta set store = hash(uuid())::hugeint, log_position = 0;

-- What was answered to batches that came with a key, so that one sent again is answered the same.
create table intake_keys (
    key hugeint not null,
    body hugeint not null,
    answered_at timestamp not null,
    answer varchar not null
);
