create unique index alert_states_by_rule on alert_states (rule);
create index alert_history_by_rule on alert_history (rule, happened_at);
create unique index notifications_by_id on notifications (id);
create unique index notifications_by_told on notifications (told);
create index notifications_by_next on notifications (state, next_at);
create index inbox_by_holder on inbox (holder, created_at);
create unique index inbox_read_by_id on inbox_read (id, reader);
