"""The command line and the one-machine start: the only package that imports several services."""
