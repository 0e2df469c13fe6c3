"""How each change is made: through the same actions as screens use, one module a subject."""
