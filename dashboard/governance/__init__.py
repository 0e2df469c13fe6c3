"""Governance as code: what is set up here as one file, and a file made true.

What others call (API, commands, imports from elsewhere):

    document.parse(text) -> Document     of YAML or JSON; raises InvalidDocument (`.problems`)
    document.build(data) -> Document     of values, as an importer makes them; raises the same
    document.dump(document) -> str       the file: always the same text, and no secret in it
    export.export(rights, user) -> Document
    schema.schema() -> dict              JSON Schema (draft 2020-12)

A section that a document does not have says nothing; an empty one says that there is nothing. Names
are identities: there are no renames. People are named and never made: they come by invitation or by
single sign-on. Secrets are references (`env:NAME`, `file:PATH`), which who calls resolves.
"""
