-- Each list is read by RLS, in each of its orders, and everything as a walk for each RLS: the indexes of one RLS do for all.
-- What they cost a transition, and what goes for it, is in docs/decisions/lists.md.

CREATE INDEX attributions_of_rls ON attributions (rls, attribution_id);
CREATE INDEX attributions_of_rls_by_deadline ON attributions (rls, deadline, attribution_id);
CREATE INDEX attributions_of_rls_by_state ON attributions (rls, state, attribution_id);
CREATE INDEX attributions_of_rls_in_state_by_deadline ON attributions (rls, state, deadline, attribution_id);
DROP INDEX attributions_by_state;
-- The whole list, in its order, is that of each RLS.
DROP INDEX patients_in_order;

CREATE INDEX blocks_latest ON blocks (requested_at, block_id);
CREATE INDEX blocks_of_rls ON blocks (rls, requested_at, block_id);
