-- What people make: one row a dashboard or an export. Written in the dialect that DuckDB and PostgreSQL share; instants are
-- microseconds since 1970, so that no engine has a say about time.

create table documents (
    kind text not null,
    -- 24 hexadecimal digits.
    id text not null,
    owner text not null,
    -- The name in lower case, by which lists are sorted, and all that a search looks in.
    name text not null,
    sought text not null,
    -- Where in its life it is, for kinds that have one; empty for others.
    state text not null,
    public boolean not null,
    -- Grows by 1 with every change.
    revision bigint not null,
    created_at bigint not null,
    updated_at bigint not null,
    -- The rest, as JSON text.
    body text not null
);

-- Who else may see or change a document: `user:ID` or `role:NAME`.
create table shares (
    kind text not null,
    id text not null,
    holder text not null,
    edit boolean not null
);

-- Who did what: the hash of each entry covers the entry and the hash of the one before it. Nothing is ever changed or removed.
create table entries (
    seq bigint not null,
    happened_at bigint not null,
    who text not null,
    role text not null,
    origin text not null,
    request text not null,
    action text not null,
    object text not null,
    outcome text not null,
    reason text not null,
    hash text not null
);

-- The last entry, one row, so that entries cut off at the end are missed.
create table chain (seq bigint not null, hash text not null);

insert into chain values (0, '');

-- Tokens that are no longer good: one by its `jti`, or all that a subject was issued before an instant.
create table revocations (
    token text not null,
    subject text not null,
    issued_before bigint not null,
    -- When all such tokens have expired anyway.
    until bigint not null
);
