"""The schema's history, one module a step, run by Alembic; see :mod:`blipper.library.schema`."""
