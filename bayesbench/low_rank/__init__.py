"""The statistical model and nothing else: its parts, link, features, eta, noise, density."""
