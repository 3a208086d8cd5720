"""`make test-browser`: the pages that we write, in a real browser.

Apart from `make test`, because a browser is half a gigabyte that nobody needs who works on the kernel.
"""
