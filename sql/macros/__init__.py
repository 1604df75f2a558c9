"""Table macros behind the views (DuckDB): each names the files or rows that it reads as parameters."""
