"""How it is evaluated: one object a protocol, with its parameters, tasks and figures."""
