"""Governance as code: what is set up here as one file, and a file made true.

What others call (API, commands, imports from elsewhere):

    document.parse(text) -> Document     of YAML or JSON; raises InvalidDocument (`.problems`)
    document.build(data) -> Document     of values, as an importer makes them; raises the same
    document.dump(document) -> str       the file: always the same text, and no secret in it
    export.export(rights, user) -> Document
    schema.schema() -> dict              JSON Schema (draft 2020-12)
    plan.plan(document, rights=, user=, secrets=, prune=) -> Plan      changes nothing
    apply.apply(plan, rights=, actor=, secrets=, user=, check=) -> Applied      raises Refused
    secrets.sent_along(values) / secrets.from_here      resolvers, for the API and for shells

`Plan.as_data()` and `Change.as_data()` are JSON's values; `Applied.shown` has the signing secrets of
new webhooks, to be shown once. `user` is the person who asks where his teams and maintaining them
count, None for tokens and shells. `apply` makes a transaction of its own.

A section that a document does not have says nothing; an empty one says that there is nothing. Names
are identities: there are no renames. People are named and never made: they come by invitation or by
single sign-on. Secrets are references (`env:NAME`, `file:PATH`), which who calls resolves.
"""
