"""How the tables came about; Alembic runs them in order."""
