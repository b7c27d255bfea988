create unique index model_versions_by_name on model_versions (name, version);
create index model_files_by_id on model_files (id, part);
create index feedback_runs_by_log on feedback_runs (log, made_at);
create index feedback_actuals_by_log on feedback_actuals (log, known_at);
