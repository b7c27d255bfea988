-- The versions of models by name, whose documents are of the kind `model`; a version never changes, and its number is not given
-- again.

create table model_versions (
    name text not null,
    version bigint not null,
    -- The document's id.
    id text not null,
    -- The SHA-256 of the file, and of how its features and classes were named.
    hash text not null,
    -- Whether it was taken away.
    gone boolean not null
);

-- The files of models, cut into parts: base64, so that both engines hold them as text.
create table model_files (
    id text not null,
    part bigint not null,
    bytes text not null
);

-- What was foretold under a name, with all that it knew, as JSON text.
create table feedback_runs (
    id text not null,
    log text not null,
    made_at bigint not null,
    body text not null
);

-- What came, as it became known, as JSON text. Nothing is ever changed: a later value of the same time counts, and the earlier stays.
create table feedback_actuals (
    log text not null,
    known_at bigint not null,
    -- The run that brought it; empty for what was told by itself.
    run text not null,
    body text not null
);
