-- SPDX-License-Identifier: Apache-2.0
-- Roles for a database with raffles, to be run once by the owner of the tables, after the first `raffle create`:
--     psql -v ON_ERROR_STOP=1 -f grants.sql DATABASE
-- and then, for each who logs in:  CREATE ROLE till_1 LOGIN; GRANT raffle_seller TO till_1;
-- They hold for every raffle of the database. docs/spec/store-postgres.md says what each can and cannot do.

-- Sells, voids, seals, draws: appends to logs, and nothing else. A record can be neither changed nor taken away, nor its key.
CREATE ROLE raffle_seller;
GRANT USAGE ON SCHEMA raffle TO raffle_seller;
GRANT SELECT ON raffle.meta, raffle.raffle, raffle.log, raffle.record, raffle.key, raffle.node, raffle.note TO raffle_seller;
GRANT INSERT ON raffle.log, raffle.record, raffle.key, raffle.node, raffle.note TO raffle_seller;
GRANT UPDATE (size, control, state) ON raffle.log TO raffle_seller;
GRANT UPDATE (note) ON raffle.note TO raffle_seller;

-- Reads: audits, publishes what was signed, looks at the views.
CREATE ROLE raffle_auditor;
GRANT USAGE ON SCHEMA raffle TO raffle_auditor;
GRANT SELECT ON ALL TABLES IN SCHEMA raffle TO raffle_auditor;

-- Erases private parts, and changes nothing else.
CREATE ROLE raffle_eraser;
GRANT USAGE ON SCHEMA raffle TO raffle_eraser;
GRANT SELECT ON raffle.meta, raffle.raffle, raffle.log, raffle.record, raffle.key, raffle.node, raffle.note TO raffle_eraser;
GRANT UPDATE (private) ON raffle.record TO raffle_eraser;
