-- The letters' outbox is paged from the latest on, in every state or in one.
CREATE INDEX letters_latest ON letters (queued_at DESC, letter_id DESC);
CREATE INDEX letters_latest_of_state ON letters (state, queued_at DESC, letter_id DESC);
