"""The SQL of the lake, one statement a file; read by `lake.duck.sql`."""
