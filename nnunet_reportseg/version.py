"""The version of the plugin, written once; the build reads it from here."""

__version__ = "0.1.0"
