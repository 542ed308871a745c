"""Outside judges over a running site: `make check-site`."""
