# Checked with: arca policy test docs/examples/policies/tests.hcl

policy "developers" {
  file = "developers.hcl"
}

policy "freeze" {
  text = "path \"secret/data/live/*\" { capabilities = [\"deny\"] }"
}

identity "ann" {
  id   = "8d9d5e14-0d2c-4d55-8d1f-0a36f3f0a1a7"
  name = "ann"

  metadata = {
    team = "web"
  }

  alias "auth_userpass_1a2b3c4d" {
    name = "ann"
  }

  group "ops" {
    id = "f6f7b3a4-6a0b-4f0e-9a53-7f3c1d2e4b5a"
  }
}

case "developers read their team's secrets" {
  policies  = ["default", "developers"]
  identity  = "ann"
  path      = "secret/data/web/db"
  operation = "read"
  expect    = "allow"
}

case "developers do not read another team's" {
  policies  = ["default", "developers"]
  identity  = "ann"
  path      = "secret/data/mail/db"
  operation = "read"
  expect    = "deny"
}

case "a token without an identity reads nobody's" {
  policies  = ["developers"]
  path      = "secret/data/web/db"
  operation = "read"
  expect    = "deny"
}

case "a change says why" {
  policies  = ["developers"]
  identity  = "ann"
  path      = "secret/data/live/db"
  operation = "update"

  parameters = {
    data = { user = "app" }
    why  = "new user"
  }

  expect = "allow"
}

case "a change that does not is refused" {
  policies  = ["developers"]
  identity  = "ann"
  path      = "secret/data/live/db"
  operation = "update"

  parameters = {
    data = { user = "app" }
  }

  expect = "deny"
}

case "nothing changes while there is a freeze" {
  policies  = ["developers", "freeze"]
  identity  = "ann"
  path      = "secret/data/live/db"
  operation = "update"

  parameters = {
    why = "it is urgent"
  }

  expect = "deny"
}

case "passwords come wrapped" {
  policies  = ["developers"]
  path      = "database/creds/web"
  operation = "read"
  wrap_ttl  = "5m"
  expect    = "allow"
}

case "passwords do not come bare" {
  policies  = ["developers"]
  path      = "database/creds/web"
  operation = "read"
  expect    = "deny"
}

case "developers do not turn off audit devices" {
  policies  = ["default", "developers"]
  path      = "sys/audit/file"
  operation = "delete"
  sudo      = true
  expect    = "deny"
}
