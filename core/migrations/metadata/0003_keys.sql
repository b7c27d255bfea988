-- Keys of requests that made something, so that one that is sent again makes it once.

create table request_keys (
    -- The digest of whose key it is, what for, and the key.
    key text not null,
    -- The digest of what was asked for.
    body text not null,
    -- The id of what was made.
    made text not null,
    made_at bigint not null
);
