"""Seeded random task sets, done by the kernel under icount and judged by their trace."""
