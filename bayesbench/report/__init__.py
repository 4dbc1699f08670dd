"""Data and JavaScript of a page that answers offline."""
