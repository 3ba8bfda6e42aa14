"""The conditions of an audit: what is done to a report, one module for each idea."""
