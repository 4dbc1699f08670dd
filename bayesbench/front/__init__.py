"""The front door: a posterior and a model known by some scores, the objects that are asked."""
