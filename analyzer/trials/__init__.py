"""A pack tried on its fixture: do the findings fit, and would a weaker pack be noticed?"""
