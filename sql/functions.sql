-- exact: the value of a JSON string that holds a decimal with at most 8 decimals, else null (a JSON number is none).
-- plausible: whether microseconds since 1970 lie between 2009 and 2261.
CREATE OR REPLACE TEMP MACRO exact_text(text) AS CASE
    WHEN text[1] = '"' AND (NOT contains(text, '.') OR length(text) - position('.' IN text) <= 9)
        AND NOT contains(text, 'e') AND NOT contains(text, 'E')
    THEN try_cast(text[2:-2] AS DECIMAL(28, 8))
END;
CREATE OR REPLACE TEMP MACRO exact(json) AS exact_text(json::VARCHAR);
CREATE OR REPLACE TEMP MACRO plausible(us) AS us BETWEEN 1230768000000000 AND 9214646400000000;
