"""Turns the lessons' sources in workshop/chapters into the notebooks in lessons. Use: python -m workshop.build"""
