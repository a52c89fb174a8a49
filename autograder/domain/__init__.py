"""Plain values: frozen dataclasses and enums from the standard library; no I/O, no clock."""
