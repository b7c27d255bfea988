-- The warehouse: one row an event, keys in place of strings, every time a TIMESTAMP in UTC with microseconds.
-- No index and no primary key on events: ids are checked at ingest.

-- What the file holds at one moment, one row; changed in the transaction that changes the data.
create table meta (
    format integer not null,
    version ubigint not null,
    epoch ubigint not null,
    events ubigint not null,
    unattributed ubigint not null,
    users uinteger not null,
    first_event timestamp,
    created_at timestamp not null
);

create table events (
    -- The id itself where it is a UUID, else the first 128 bits of its SHA-256, with its text beside it; null without an id.
    event_id uuid,
    event_id_text varchar,
    -- The key of the user id or, without one, of the anonymous id; null without either.
    user_key uinteger,
    -- The key of the anonymous id of an event that has both.
    anonymous_key uinteger,
    session_id varchar,
    name_key usmallint not null,
    -- When it happened: the client's time, corrected where its clock was wrong.
    ts timestamp not null,
    -- The client's time as sent; null where it is ts.
    client_ts timestamp,
    sent_at timestamp,
    received_at timestamp not null,
    client_seq bigint,
    -- XXH3-64 of the canonical content without sent_at and received_at.
    content_hash ubigint not null,
    -- A JSON object with sorted keys; null where it is empty.
    properties varchar,
    amount decimal(18, 4),
    currency varchar,
    -- The data version that added the row.
    version ubigint not null
);

-- User ids and anonymous ids are namespaces of their own; keys are dense from 0 over both.
create table users (user_key uinteger not null, id varchar not null, anonymous boolean not null);

create table names (name_key usmallint not null, name varchar not null);

-- Versions of what is known of a user, appended and never changed, so that the plan as of any time can be told.
create table profiles (
    user_key uinteger not null,
    ts timestamp not null,
    plan varchar,
    properties varchar,
    content_hash ubigint not null
);

create table aliases (
    anonymous_key uinteger not null,
    user_key uinteger not null,
    ts timestamp not null
);

create table consents (
    user_key uinteger not null,
    ts timestamp not null,
    purpose varchar not null,
    granted boolean not null
);

create table trips (
    trip_id varchar,
    ts timestamp,
    user_key uinteger,
    destination varchar,
    starts_on date,
    ends_on date,
    amount decimal(18, 4),
    currency varchar,
    properties varchar,
    content_hash ubigint not null
);

create table bookings (
    booking_id varchar,
    ts timestamp not null,
    user_key uinteger,
    trip_id varchar,
    service_date date,
    status varchar,
    amount decimal(18, 4),
    currency varchar,
    properties varchar,
    content_hash ubigint not null
);

create table reviews (
    review_id varchar,
    ts timestamp not null,
    user_key uinteger,
    trip_id varchar,
    rating double,
    properties varchar,
    content_hash ubigint not null
);

create table payments (
    payment_id varchar,
    ts timestamp not null,
    user_key uinteger,
    booking_id varchar,
    status varchar,
    amount decimal(18, 4) not null,
    currency varchar not null,
    properties varchar,
    content_hash ubigint not null
);

create table performance (
    ts timestamp not null,
    name varchar not null,
    value double not null,
    properties varchar,
    content_hash ubigint not null
);

-- One unit of the currency is worth so much of the base currency on that day.
create table rates (
    currency varchar not null,
    day date not null,
    rate decimal(18, 8) not null,
    content_hash ubigint not null
);

-- Events that were refused but kept, for example those from the future.
create table quarantine (
    event varchar not null,
    code varchar not null,
    message varchar not null,
    received_at timestamp not null,
    content_hash ubigint not null
);

-- Which names are page views, conversions and so on: one row, or none while the default holds.
create table catalogue (definition varchar not null);
