"""`make test-browser`: the pages that we write, in a real browser.

It is not part of `make test`, because a browser is half a gigabyte that work on the kernel does not need.
"""
