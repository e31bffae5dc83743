"""The commands; each module offers `app`, a Typer application."""
