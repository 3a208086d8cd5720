"""Random task sets, drawn by seed, run by the kernel under icount and judged by their trace."""
