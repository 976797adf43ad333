"""Changes of the database's tables, one file a change, run by ``nerve_core.records.migrate``.

A new change is a file in ``versions`` that follows the last one (``down_revision``); its number is the new
``VERSION`` there. A test compares the tables it makes with those the program works with.
"""
