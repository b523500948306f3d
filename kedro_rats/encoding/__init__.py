"""Values and objects as JSON, with their types kept.

Plans, parameters and records are made of it. Nothing here imports a library.
"""
