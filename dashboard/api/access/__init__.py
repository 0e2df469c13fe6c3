"""Who may do what: roles, grants, people, teams, machines, and the record of it all."""
