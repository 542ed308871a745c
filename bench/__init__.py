"""What DESIGN.md promises with a number, measured on a running system beside a baseline of the same machine.

`python -m bench` (make bench) starts the embedded system on a fresh folder, measures it empty and with an archive,
prints a table and writes JSON to bench/results/. `python -m bench.related` makes the related sets of an archive.
"""
