"""Changes of the database's tables, one file a change, run by ``nerve_core.records.migrate``.

A new change is a file in ``versions`` whose ``down_revision`` is the last one, and its number the new ``VERSION``
there; a test compares the tables it makes with those the program works with.
"""
