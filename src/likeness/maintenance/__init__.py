"""Looking after what a project keeps: removing a person, and freeing space."""
