-- By what the record is searched. DuckDB looks through its columns faster than it would keep indexes.
create index entries_by_time on entries (happened_at);
create index entries_by_who on entries (who, seq);
create index entries_by_action on entries (action text_pattern_ops, seq);
create index entries_by_object on entries (object, seq);
create index entries_by_refusal on entries (outcome, seq) where outcome <> 'allowed';
