"""How Alembic reaches the database: on the connection, and in the transaction, that it is handed."""

from alembic import context

from nerve_core.records.tables import METADATA

context.configure(connection=context.config.attributes["connection"], target_metadata=METADATA)
context.run_migrations()
