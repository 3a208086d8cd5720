"""Compares the kernel's answers with Linux's: small cases, and random sequences."""
