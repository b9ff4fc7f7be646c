"""What training minimises: one objective a file, and the combinators that make recipes of them."""
