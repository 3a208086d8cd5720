"""What the kernel answers, compared with Linux: small cases, and sequences at random."""
