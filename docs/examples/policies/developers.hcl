# Each team's own secrets
path "secret/data/{{identity.entity.metadata.team}}/*" {
  capabilities = ["create", "read", "update", "list"]
}

# What runs in production: every change says why
path "secret/data/live/*" {
  capabilities        = ["read", "update"]
  required_parameters = ["why"]
}

# Passwords leave the vault wrapped only
path "database/creds/*" {
  capabilities     = ["read"]
  min_wrapping_ttl = "1m"
  max_wrapping_ttl = "1h"
}
