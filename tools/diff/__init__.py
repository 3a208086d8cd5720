"""The kernel's answers, compared with Linux's: small cases, and sequences at random."""
