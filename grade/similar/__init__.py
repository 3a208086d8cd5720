"""trellis-grade similar: which submissions of a lab have more in common than right solutions must.

    sources.py     submissions: from a folder of hand-ins or a class's database, of this year and earlier ones
    tool.py        the task for compare.mjs, and its result
    pages.py       index.html, and a page for each pair, side by side
    command.py     the options

    compare.mjs    runs in Node.js: tokens.mjs reads C by tree-sitter's parser, dolos-core compares,
                   fragments.mjs finds the lines to show
    package.json   the packages that these need, at the versions that package-lock.json pins

A student's files are data for a parser, in a fence without network. No name comes from their contents, and
the pages escape all of them.
"""
