"""The explorer: runs the kernel's own functions under every interleaving of small scenarios."""
