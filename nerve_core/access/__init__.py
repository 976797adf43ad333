"""Who may do what: roles, login, bearer tokens for the REST service, and the audit log."""
