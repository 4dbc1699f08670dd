"""The page that answers offline: data packed for it, and the modules that answer in a browser."""
