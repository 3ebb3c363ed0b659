# The configuration of arcad. Every key is here with its default; keys without one are commented out.
# Several files, or a directory of them, may be given: the last one that sets a key counts.

# Where clients reach the server: the URL that it tells them.
# api_addr = "https://vault.example.com:8200"

# The name that seal-status shows.
# cluster_name = "main"

# How long leases and tokens last where nobody says.
default_lease_ttl = "768h"

# How long they may last.
max_lease_ttl = "768h"

# How long a request may take where its listener does not say. 0 is no limit.
default_max_request_duration = "90s"

# What is worth a line in the log: trace, debug, info, warn or error. Read again on SIGHUP.
log_level = "info"

# How a line looks: standard or json.
log_format = "standard"

# Where the log goes; standard error if unset.
# log_file = "/var/log/arca/server.log"

# Where the server's process id is written.
# pid_file = "/run/arca/arcad.pid"

# A checkpoint of `arca operator checkpoint`: the server does not start with a store that is older.
# checkpoint_file = "/etc/arca/checkpoint.json"

# How long after a check of all records of the store the server makes the next one by itself. 0 is never.
check_interval = "24h"

# Check the store at each unsealing, before anything is served, and stay sealed if something is wrong with it.
check_on_unseal = true

# Serve the web interface.
ui = false

# Serve sys/raw, with which an operator reads and writes single records of the store.
raw_storage_endpoint = false

# Let audit devices be made through the API. Whoever may do so can make the server write files.
unsafe_allow_api_audit_creation = false

# Do not lock the server's memory: what is in it may be written to swap.
disable_mlock = false

# Where the encrypted data is kept: "redb", "sled", or "inmem" (gone when the server stops).
storage "redb" {
  # The directory of the database. It is made if it is not there.
  path = "/var/lib/arca"
}

# Where the server listens. There may be several.
listener "tcp" {
  # Address and port.
  address = "127.0.0.1:8200"

  # Serve plain text. Only for a machine that nobody else is on, or behind a proxy that does TLS.
  tls_disable = false

  # The server's certificate with its chain, in PEM. Read again on SIGHUP.
  tls_cert_file = "/etc/arca/tls/server.pem"

  # The private key of the certificate, in PEM.
  tls_key_file = "/etc/arca/tls/server-key.pem"

  # The authorities whose client certificates are accepted, in PEM.
  tls_client_ca_file = "/etc/arca/tls/ca.pem"

  # Certificates of clients that were revoked: one CRL for each authority, in PEM. Read again on SIGHUP.
  # tls_client_crl_file = "/etc/arca/tls/clients.crl"

  # Refuse clients without a certificate of those authorities. (Off by default in OpenBao and Vault.)
  tls_require_and_verify_client_cert = true

  # Do not even ask clients for a certificate.
  tls_disable_client_certs = false

  # The oldest version of TLS: tls12 or tls13.
  tls_min_version = "tls13"

  # The newest version of TLS: tls12 or tls13.
  tls_max_version = "tls13"

  # Bytes that a body may have.
  max_request_size = 33554432

  # Texts that a JSON body may have, keys included.
  max_request_json_strings = 1000

  # Bytes of memory that a decoded JSON body may take.
  max_request_json_memory = 34078720

  # Objects and lists that may stand inside each other in a JSON body.
  max_json_depth = 1000

  # Bytes that all headers of a request may have.
  max_header_bytes = 65536

  # Connections at a time.
  max_connections = 10000

  # How long a request may take; the server's default_max_request_duration if unset. 0 is no limit.
  # max_request_duration = "90s"

  # How long the headers may take to arrive. 0 is no limit, here and below.
  http_read_header_timeout = "10s"

  # How long headers and body may take to arrive.
  http_read_timeout = "30s"

  # How long a client may take nothing of its answer.
  http_write_timeout = "1m"

  # How long a connection may wait for its next request.
  http_idle_timeout = "5m"

  # Proxies whose X-Forwarded-For is believed.
  x_forwarded_for_authorized_addrs = []

  # How many addresses from the end of X-Forwarded-For are proxies themselves.
  x_forwarded_for_hop_skips = 0

  # Refuse X-Forwarded-For from anyone else, rather than ignoring it.
  x_forwarded_for_reject_not_authorized = true

  # Refuse requests of those proxies that come without it.
  x_forwarded_for_reject_not_present = true

  # Turn off sys/rekey/*, which need no token.
  disable_unauthed_rekey_endpoints = true

  # Turn off sys/generate-root/*, which need no token.
  disable_unauthed_generate_root_endpoints = true

  telemetry {
    # Serve sys/metrics without a token.
    unauthenticated_metrics_access = false
  }
}

# Where the audit log goes. There may be several.
audit "file" "main" {
  # What it is for.
  # description = "what this log is for"

  options {
    file_path = "/var/log/arca/audit.log"
  }
}

# What the metrics look like, and where traces go.
telemetry {
  # How long a value that does not change is shown in the format of Prometheus. 0 turns that format off.
  prometheus_retention_time = 0

  # Kept for the sake of other servers' files: no name here has the host in it.
  disable_hostname = false

  # Serve sys/metrics without a token at every listener.
  unauthenticated_metrics_access = false

  # What the names begin with that Vault has too; what is this server's alone begins with "arca".
  # metrics_prefix = "vault"

  # Where traces go, as OTLP over HTTP: a whole URL. Nowhere if unset.
  # otlp_endpoint = "https://collector.example.com:4318/v1/traces"

  # The authorities that vouch for the collector, as PEM; those of this machine if unset.
  # otlp_ca_file = "/etc/arca/tls/collector-ca.pem"

  # The share of requests that are traced, from 0 to 1; a request that belongs to a trace is traced as its caller says.
  otlp_sample_ratio = 1
}

# What happens after wrong passwords; "all", or one kind of auth method.
user_lockout "all" {
  # Wrong passwords after which a user is locked out.
  lockout_threshold = 5

  # For how long.
  lockout_duration = "15m"

  # After how long without a wrong password they are forgotten.
  lockout_counter_reset = "15m"

  # Never lock anyone out.
  disable_lockout = false
}

# What the kernel lets the process do, where it can hold it to that.
sandbox {
  # Let the server reach all files that its user does, and not only those that this configuration names (Landlock).
  disable_landlock = false

  # Let the server make every system call, and not only those that it needs (seccomp).
  disable_seccomp = false

  # Files and folders that the server reads besides: authorities and keys of audit devices made through the API.
  readable_paths = []

  # Folders that the server writes to besides: those of audit devices that are made through the API.
  writable_paths = []
}
