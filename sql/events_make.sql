-- Empty tables of the events of one symbol that are in memory; lines fill them batch by batch.
CREATE OR REPLACE TEMP TABLE trades (
    ts_event BIGINT, ts_recv BIGINT, first_id BIGINT, last_id BIGINT,
    price DECIMAL(28, 8), qty DECIMAL(28, 8), taker_buys BOOLEAN
);
CREATE OR REPLACE TEMP TABLE quotes (second_us BIGINT, last STRUCT(bid DECIMAL(28, 8), ask DECIMAL(28, 8)), place STRUCT(ts_recv BIGINT, update_id BIGINT));
