"""`make lint`: what CI checks of style. `make format` mends the layout of C."""
