"""The programs of the candidates in Python, as one would write them who has never measured."""
