"""`python -m bench`: every measurement of this project, each part runnable alone."""
