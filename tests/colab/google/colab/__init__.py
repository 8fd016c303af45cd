"""Stands in for Google Colab's own package: where it can be imported, code believes that it runs there."""
