-- Where each alert rule stands: one row a rule, whose documents are of the kind `alert`.

create table alert_states (
    rule text not null,
    -- What is remembered from one evaluation to the next, as JSON text.
    state text not null,
    -- Until when nobody is told of it; 0 for no silence.
    silenced_until bigint not null,
    -- Why, and who said so.
    silence text not null,
    -- What the last evaluation read, as JSON text.
    reading text not null
);

-- What became of alert rules: phases entered, notifications made, evaluations that failed. Nothing is ever changed.
create table alert_history (
    rule text not null,
    happened_at bigint not null,
    event text not null,
    body text not null
);

-- Notifications on their way out, and what became of them.
create table notifications (
    id text not null,
    -- The same whenever the same is told to the same place; there is only one of each.
    told text not null,
    -- `webhook`, `slack` or `email`, and where to, as JSON text.
    channel text not null,
    target text not null,
    title text not null,
    body text not null,
    created_at bigint not null,
    -- `waiting`, `sent` or `dead`, which is given up.
    state text not null,
    attempts bigint not null,
    -- When it is to be tried next; whoever takes it moves this on.
    next_at bigint not null,
    -- Why the last attempt failed.
    error text not null
);

-- Notifications that people see when they look: for `user:ID` or `role:NAME`.
create table inbox (
    id text not null,
    told text not null,
    holder text not null,
    title text not null,
    body text not null,
    created_at bigint not null
);

-- Who has read which of them.
create table inbox_read (
    id text not null,
    reader text not null
);
