"""What outside judges say of a running site: `make check-site`."""
