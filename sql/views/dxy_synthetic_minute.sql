-- dxy_synthetic_minute: the US dollar index of every minute that has one. Grain and columns: dxy_of. Input: macro_minute.
CREATE OR REPLACE VIEW dxy_synthetic_minute AS
FROM dxy_of('macro_minute');
