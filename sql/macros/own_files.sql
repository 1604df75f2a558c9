-- What tells the lake's own files from others in its folders, and how they are read. The globs of the views take the names
-- of folders and files that the lake writes; a glob of paths cannot tell `SOLUSDT (1)` from SOLUSDT, so these two do, for
-- the folder that is named after a symbol or ticker: no character of ASCII but those that a name can have. Letters that
-- are not ASCII all pass, as in 币安人生USDT.
-- Why GLOB: DuckDB takes it down to the list of files, so that files which it refuses are never opened. Through a UNION it
-- does not take a regular expression there, nor translate().
CREATE OR REPLACE MACRO is_symbol(folder) AS NOT folder GLOB '*[ -/:-@[-~]*';
CREATE OR REPLACE MACRO is_ticker(folder) AS NOT (folder GLOB '*[] -%''-,/:-<>-@[-\`-~]*' OR folder GLOB '[.=_-]*');
-- file_schema(columns): columns of files, as `name TYPE, name TYPE`, for read_parquet. With it no file is opened before the
-- paths have been filtered, and a column that a file does not have is null for this file alone. As text, since a map of
-- structs takes twice as long to bind, and every view on 1-second bars binds two.
CREATE OR REPLACE MACRO file_schema(columns) AS
    ('{' || regexp_replace(columns, '(\w+) (\w+)', '\1={''name'': \1, ''type'': \2, ''default_value'': NULL}', 'g') || '}')
    ::MAP(VARCHAR, STRUCT(name VARCHAR, "type" VARCHAR, default_value VARCHAR));
