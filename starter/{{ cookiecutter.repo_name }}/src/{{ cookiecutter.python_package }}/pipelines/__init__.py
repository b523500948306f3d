"""The steps of the project: preparation, model, reporting."""
