create unique index request_keys_by_key on request_keys (key);
