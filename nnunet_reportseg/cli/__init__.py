"""The command line ``reportseg``: one module per command, the only place that prints."""
