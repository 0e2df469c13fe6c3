"""The REST API below /api/v1/: what screens show and do, for programs.

A request is signed in (`sign_in`), counted (`limits`), read (`bodies`), answered by a `Resource`, a
page (`pages`) or a problem (`problems`), and described (`description`) from the same classes. The
resources call what the screens call; nothing here decides who may do what.
"""
