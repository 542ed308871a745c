"""The ways out: one module for each channel on which subscribers are told."""
