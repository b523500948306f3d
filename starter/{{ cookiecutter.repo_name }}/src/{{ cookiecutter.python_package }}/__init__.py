"""{{ cookiecutter.project_name }}: predict the sex of a penguin."""
