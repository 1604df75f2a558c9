"""The views over the lake (DuckDB), with @@BASE@@ for the base path."""
