-- What is to be taken away in time, such as the file of an export: a row a document, until it has been done.

create table expiries (
    kind text not null,
    id text not null,
    -- When it is due, in microseconds since 1970.
    due bigint not null
);

-- Exports that were complete before; one whose file is gone already is looked at once more.
insert into expiries
select kind, id, updated_at + 86400000000
from documents
where kind = 'export' and state = 'completed';

-- A small sigma at the end of a word is one letter with any other.
update documents
set name = replace(name, 'ς', 'σ'), sought = replace(sought, 'ς', 'σ')
where strpos(sought, 'ς') > 0 or strpos(name, 'ς') > 0;
