"""Migration in: what another registry or token server allows, as a governance document.

    harbor.convert(answers, options) -> Imported        projects, members, groups, robots

Conversions are pure: values in, a document and remarks out. Nothing is changed anywhere by them. No
right ever gets wider: where the source's rule has no exact equal, the narrower one is taken, and a
remark says what was left out, why, and what to do. Every error is a NotImportable.
"""
