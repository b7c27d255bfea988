create unique index expiries_by_document on expiries (kind, id);
create index expiries_by_due on expiries (kind, due);
