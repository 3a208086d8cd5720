"""`make lint`: the checks of style, as in CI. `make format` formats the C files."""
