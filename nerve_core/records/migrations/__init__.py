"""Changes of the database's tables, one file a change, run by ``nerve_core.records.migrate``."""
