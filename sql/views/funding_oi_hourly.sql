-- funding_oi_hourly: funding and open interest of USD-M perpetuals. Grain: one symbol, one hour in which a funding was
-- paid or an open interest is known. Inputs: derivatives/binance/funding, derivatives/binance/open_interest.
-- funding_rate and mark_price are those of the last funding that was paid before the hour's end, unless that is more than 24
-- hours ago; open_interest and open_interest_value are the hour's last 5-minute values. Null where there is none.
CREATE OR REPLACE VIEW funding_oi_hourly AS
SELECT *
FROM funding_oi_in(
    '@@BASE@@/derivatives/binance/funding/*/year=[0-9][0-9][0-9][0-9]/funding.parquet',
    '@@BASE@@/derivatives/binance/open_interest/*/year=[0-9][0-9][0-9][0-9]/month=[0-9][0-9]/day=[0-9][0-9]/open_interest.parquet'
);
