create unique index documents_by_id on documents (kind, id);
create index documents_by_owner on documents (kind, owner);
create index shares_by_document on shares (kind, id);
create unique index entries_by_seq on entries (seq);
