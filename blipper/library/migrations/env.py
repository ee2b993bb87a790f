"""Alembic's way in: it runs this file, on the connection and in the transaction that it is handed."""

from alembic import context

from blipper.library.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
context.run_migrations()
