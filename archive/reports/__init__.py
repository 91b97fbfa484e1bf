"""Results for people and other programs: reports, files, alerts."""
