"""Packaging, rehearsing and describing the deployment. Not part of the hpe package."""
