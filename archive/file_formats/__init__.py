"""Lists of rows as files for other programs: CSV, lines of JSON, XLSX, Parquet."""
