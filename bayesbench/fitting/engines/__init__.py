"""The engines: Gibbs, NUTS and SVI, each an object with settings that draws from a posterior."""
