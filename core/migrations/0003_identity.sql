-- Which user a device turned out to be from `ts` on, or none from the moment it was signed out; and which known users are one.
drop table aliases;

create table aliases (
    anonymous_key uinteger not null,
    user_key uinteger,
    ts timestamp not null,
    content_hash ubigint not null
);

-- A merge without a user is one that was taken back.
create table merges (
    merged_user_key uinteger not null,
    user_key uinteger,
    ts timestamp not null,
    content_hash ubigint not null
);

-- The seal of the timelines saved beside the file, by which they are known to be of this very data.
alter table meta add column timelines varchar;

-- Whether anything is known of who is who: an alias, a merge, or an event with both ids.
alter table meta add column identified boolean;
update meta set identified = exists (select 1 from events where anonymous_key is not null);

-- Named sets of users, as JSON; who is of one is found out anew for every question.
create table cohorts (name varchar not null, definition varchar not null, created_at timestamp not null);
