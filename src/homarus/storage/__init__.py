"""The only room that knows SQL: database, tables, migrations, one repository module per table family."""
