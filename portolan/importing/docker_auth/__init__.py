"""cesanta/docker_auth: users and the rules of its ACL as grants.

Its rules are read in order and the first that matches decides; grants only add. So a scope is granted
where the rules, all together, give the same on every name that there could be in it, and nowhere else:
see meaning.py, which walks them. Whatever is then left of a rule is a remark.
"""

from portolan.importing.docker_auth.convert import convert

__all__ = ["convert"]
