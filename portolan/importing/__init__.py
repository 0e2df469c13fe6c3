"""Migration in: what another registry or token server allows, as a governance document.

    harbor.convert(answers, options) -> Imported        projects, members, groups, robots
    docker_auth.convert(config, options) -> Imported    users and the ACL of cesanta/docker_auth
    portus.convert(answers, options) -> Imported        teams, namespaces, users
    reading.read(kind, source, ...) -> data             a file, or the service's own API

Conversions are pure: values in, a document and remarks out. Nothing is changed anywhere by them. No
right ever gets wider: where the source's rule has no exact equal, the narrower one is taken, and a
remark says what was left out, why, and what to do. Every error is a NotImportable.
"""
