//! The command line against a server that runs: an operator's and a user's day, from the first key to the last seal.
//!
//! `ARCA_LIVE_ADDR` is the server's address; without it this is skipped with a note. `ARCA_LIVE_TOKEN` is a root token of
//! an unsealed server. Without it the server must not be initialised yet: then it is initialised, rekeyed and sealed here
//! too. `ARCA_LIVE_CACERT`, `ARCA_LIVE_CLIENT_CERT` and `ARCA_LIVE_CLIENT_KEY` are for a server with TLS.

#[cfg(test)]
mod live {
    use std::io::Write;
    use std::path::Path;
    use std::process::{Child, Command, Stdio};
    use std::time::Duration;

    use arca::authority::Authority;
    use arca::entropy::SystemEntropy;
    use arca::time::{Clock, SystemClock};
    use serde_json::Value;

    /// What came of a command.
    struct Done {
        line: String,
        code: i32,
        out: String,
        err: String,
    }

    impl Done {
        #[track_caller]
        fn ends(self, code: i32) -> Self {
            assert_eq!(self.code, code, "arca {}\nstdout:\n{}\nstderr:\n{}", self.line, self.out, self.err);
            self
        }

        #[track_caller]
        fn ok(self) -> Self {
            self.ends(0)
        }

        #[track_caller]
        fn says(self, text: &str) -> Self {
            assert!(self.out.contains(text), "arca {}: no {text:?} in:\n{}", self.line, self.out);
            self
        }

        #[track_caller]
        fn complains(self, text: &str) -> Self {
            assert!(self.err.contains(text), "arca {}: no {text:?} in:\n{}", self.line, self.err);
            self
        }

        #[track_caller]
        fn json(self) -> Value {
            serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("arca {}: {error}:\n{}", self.line, self.out))
        }

        /// The value of a row of the table.
        #[track_caller]
        fn row(&self, name: &str) -> String {
            let row = self.out.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix("  "));
            row.unwrap_or_else(|| panic!("arca {}: no row {name:?} in:\n{}", self.line, self.out)).trim().to_owned()
        }
    }

    /// An operator at a shell.
    struct Shell {
        home: tempfile::TempDir,
        address: String,
        token: Option<String>,
    }

    #[expect(clippy::disallowed_methods, reason = "the server to test against is named by the environment")]
    fn variable(name: &str) -> Option<String> {
        std::env::var(name).ok().filter(|value| !value.is_empty())
    }

    impl Shell {
        fn run(&self, line: &str) -> Done {
            self.pipe(line, "")
        }

        fn pipe(&self, line: &str, stdin: &str) -> Done {
            let mut command = Command::new(env!("CARGO_BIN_EXE_arca"));
            command.args(line.split(' ')).env_clear().env("HOME", self.home.path()).env("ARCA_ADDR", &self.address);
            for name in ["CACERT", "CLIENT_CERT", "CLIENT_KEY"] {
                if let Some(value) = variable(&format!("ARCA_LIVE_{name}")) {
                    command.env(format!("ARCA_{name}"), value);
                }
            }
            if let Some(token) = &self.token {
                command.env("ARCA_TOKEN", token);
            }
            let streams = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut child = streams.current_dir(self.home.path()).spawn().unwrap();
            drop(child.stdin.take().unwrap().write_all(stdin.as_bytes()));
            let done = child.wait_with_output().unwrap();
            Done {
                line: line.to_owned(),
                code: done.status.code().unwrap(),
                out: String::from_utf8(done.stdout).unwrap(),
                err: String::from_utf8(done.stderr).unwrap(),
            }
        }

        fn home(&self) -> &Path {
            self.home.path()
        }
    }

    /// A server of our own, killed when this goes.
    struct Server(Child);

    impl Drop for Server {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    /// The same day against `arcad` as it was built beside `arca`: over mutual TLS, with redb.
    #[test]
    fn our_own_server_can_be_operated() {
        let program = Path::new(env!("CARGO_BIN_EXE_arca")).with_file_name("arcad");
        if !program.exists() {
            println!("skipped: build the whole workspace to have arcad beside arca");
            return;
        }
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let entropy = SystemEntropy::new();
        let authority = Authority::new(SystemClock.now(), &entropy).unwrap();
        let day = Duration::from_hours(24);
        let server = authority.server(vec!["127.0.0.1".to_owned()], day).unwrap();
        let client = authority.client("operator", day).unwrap();
        for (name, text) in [
            ("ca.pem", authority.own.certificate.as_str()),
            ("server.pem", &server.certificate),
            ("server-key.pem", server.key.expose()),
            ("client.pem", &client.certificate),
            ("client-key.pem", client.key.expose()),
        ] {
            std::fs::write(path(name), text).unwrap();
        }
        let config = format!(
            "storage \"redb\" {{\n  path = {:?}\n}}\nlistener \"tcp\" {{\n  address = \"127.0.0.1:0\"\n  \
             tls_cert_file = {:?}\n  tls_key_file = {:?}\n  tls_client_ca_file = {:?}\n  \
             disable_unauthed_rekey_endpoints = false\n  disable_unauthed_generate_root_endpoints = false\n}}\n\
             audit \"file\" \"file\" {{\n  options {{\n    file_path = {:?}\n  }}\n}}\n",
            path("store"),
            path("server.pem"),
            path("server-key.pem"),
            path("ca.pem"),
            path("audit.log"),
        );
        std::fs::write(path("arca.hcl"), config).unwrap();
        let log = std::fs::File::create(path("log")).unwrap();
        let mut command = Command::new(program);
        command
            .args(["--config", &path("arca.hcl")])
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        let _server = Server(command.spawn().unwrap());
        let address = listening(&path("log"));
        let day = Command::new(std::env::current_exe().unwrap())
            .args(["live::a_vault_can_be_operated_from_its_first_key_to_its_last_seal", "--exact", "--nocapture"])
            .env("ARCA_LIVE_ADDR", format!("https://{address}"))
            .env("ARCA_LIVE_CACERT", path("ca.pem"))
            .env("ARCA_LIVE_CLIENT_CERT", path("client.pem"))
            .env("ARCA_LIVE_CLIENT_KEY", path("client-key.pem"))
            .env_remove("ARCA_LIVE_TOKEN")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&day.stdout).into_owned() + &String::from_utf8_lossy(&day.stderr);
        assert!(day.status.success() && said.contains("1 passed"), "{said}");
        assert!(!said.contains("skipped"), "{said}");
    }

    /// The address that a server has told its log.
    fn listening(log: &str) -> String {
        for _ in 0..1000 {
            let text = std::fs::read_to_string(log).unwrap();
            if let Some((line, _)) = text.split_once("listening address=").and_then(|(_, rest)| rest.split_once('\n')) {
                return line.trim().to_owned();
            }
            std::thread::park_timeout(Duration::from_millis(20));
        }
        panic!("the server does not listen: {}", std::fs::read_to_string(log).unwrap());
    }

    #[test]
    fn a_vault_can_be_operated_from_its_first_key_to_its_last_seal() {
        let Some(address) = variable("ARCA_LIVE_ADDR") else {
            println!("skipped: ARCA_LIVE_ADDR names no server");
            return;
        };
        let token = variable("ARCA_LIVE_TOKEN");
        let fresh = token.is_none();
        let mut shell = Shell { home: tempfile::tempdir().unwrap(), address, token };
        let mut shares = if fresh { initialise(&mut shell) } else { Vec::new() };
        log_in(&mut shell);
        version_1(&shell);
        version_2(&shell);
        any_path(&shell);
        tokens(&shell);
        policies(&shell);
        mounts(&shell);
        leases_and_audit(&shell);
        if fresh {
            rekey(&shell, &mut shares);
            generate_root(&shell, &shares);
            seal(&shell, &shares);
        }
    }

    fn initialise(shell: &mut Shell) -> Vec<String> {
        shell.run("status").ends(2).says("Initialized        false");
        shell.run("operator init -status").ends(2).says("Vault is not initialized");
        let keys = shell.run("operator init -key-shares=3 -key-threshold=2 -format=json").ok().json();
        let shares: Vec<_> = keys["unseal_keys_b64"]
            .as_array()
            .unwrap()
            .iter()
            .map(|share| share.as_str().unwrap().to_owned())
            .collect();
        assert_eq!(shares.len(), 3);
        assert_eq!(keys["unseal_threshold"], 2);
        shell.run("operator init -status").ok().says("Vault is initialized");
        shell.run("operator init").ends(2).complains("already initialized");
        shell.run("read secret/x").ends(2).complains("Code: 503").complains("arca operator unseal");
        unseal(shell, &shares);
        shell.token = Some(keys["root_token"].as_str().unwrap().to_owned());
        shares
    }

    fn unseal(shell: &Shell, shares: &[String]) {
        shell.run("operator unseal not-a-share").ends(2).complains("Error unsealing");
        shell.run(&format!("operator unseal {}", shares[0])).ok().says("Unseal Progress    1/2");
        shell.run("operator unseal -reset").ok().says("Unseal Progress    0/2");
        shell.run(&format!("operator unseal {}", shares[2])).ok();
        let last = shell.pipe("operator unseal -format=json -", &format!("{}\n", shares[1])).ok().json();
        assert_eq!(last["sealed"], false);
        shell
            .run("status")
            .ok()
            .says("Sealed          false")
            .says("Audit           1 enabled, 0 failing")
            .says("Seccomp         on");
        let status = shell.run("status -format=json").ok().json();
        assert_eq!(status["confinement"]["seccomp"], "on");
        assert_eq!(status["audit"]["enabled"], 1);
    }

    /// The token goes from the environment into the token helper.
    fn log_in(shell: &mut Shell) {
        let token = shell.token.take().unwrap();
        shell.run("read sys/mounts").ends(2).complains("Code: 403").complains("* permission denied");
        shell.run("print token").ends(1).complains("arca login");
        shell.run("login nonsense").ends(2).complains("Error authenticating");
        let only = shell.pipe("login -token-only -", &format!("{token}\n")).ok();
        assert_eq!(only.out, token);
        assert!(!shell.home().join(".vault-token").exists());
        shell.pipe("login -", &format!("{token}\n")).ok().says("token_policies       [\"root\"]");
        assert_eq!(std::fs::read_to_string(shell.home().join(".vault-token")).unwrap(), token);
        assert_eq!(shell.run("print token").ok().out, format!("{token}\n"));
        shell.run("login -method=cert -path=nowhere").ends(2).complains("auth/nowhere/login");
    }

    fn version_1(shell: &Shell) {
        shell
            .run("secrets enable -path=live1 -description=one kv")
            .ok()
            .says("Enabled the kv secrets engine at: live1/");
        let done = shell.run("kv put live1/a/b user=x pass=y").ok();
        assert_eq!(done.out, "Success! Data written to: live1/a/b\n");
        let table = "==== Data ====\nKey     Value\n---     -----\npass    y\nuser    x\n";
        assert_eq!(shell.run("kv get live1/a/b").ok().out.trim_start_matches('='), table.trim_start_matches('='));
        assert_eq!(shell.run("kv get -mount=live1 -field=pass a/b").ok().out, "y");
        assert_eq!(shell.run("kv get -format=json live1/a/b").ok().json()["data"]["user"], "x");
        shell.run("kv get -field=none live1/a/b").ends(1).complains("Field \"none\" not present");
        assert_eq!(shell.run("kv list live1").ok().out, "Keys\n----\na/\n");
        shell.run("kv patch live1/a/b user=z").ends(2).complains("must be version 2");
        shell.run("kv delete live1/a/b").ok();
        shell.run("kv get live1/a/b").ends(2).complains("No value found at live1/a/b");
        assert_eq!(shell.run("kv list -format=json live1").ends(2).out, "{}\n");
    }

    fn version_2(shell: &Shell) {
        shell.run("secrets enable -path=live2 -version=2 kv").ok();
        shell
            .run("kv put live2/app user=x pass=y")
            .ok()
            .says("= Secret Path =\nlive2/data/app\n\n======= Metadata =======");
        shell.run("kv put -cas=0 live2/app user=x").ends(2).complains("check-and-set");
        shell.run("kv put -cas=1 live2/app user=x2 n=1").ok().says("version            2");
        shell.run("kv get live2/app").ok().says("custom_metadata    <nil>").says("=== Data ===").says("user    x2");
        assert_eq!(shell.run("kv get -version=1 -field=pass live2/app").ok().out, "y");
        shell.run("kv patch live2/app user=x3").ok().says("version            3");
        shell.run("kv patch -method=rw -remove-data=n live2/app more=1").ok().says("version            4");
        let data = shell.run("kv get -format=json live2/app").ok().json();
        assert_eq!(data["data"]["data"], serde_json::json!({"user": "x3", "more": "1"}));
        shell.run("kv patch live2/none a=b").ends(2).complains("No value found at live2/data/none");
        shell.run("kv delete live2/app").ok();
        shell.run("kv get -field=user live2/app").ends(2).complains("No data found at live2/data/app");
        shell.run("kv undelete -versions=4 live2/app").ok().says("live2/undelete/app");
        shell.run("kv destroy -versions=2 live2/app").ok().says("live2/destroy/app");
        shell.run("kv rollback -version=2 live2/app").ends(2).complains("has been destroyed");
        shell.run("kv rollback -version=1 live2/app").ok().says("version            5");
        assert_eq!(shell.run("kv get -field=pass live2/app").ok().out, "y");
        shell.run("kv metadata put -max-versions=7 -custom-metadata=a=b -custom-metadata=c=d live2/app").ok();
        shell.run("kv metadata patch -remove-custom-metadata=a -cas-required live2/app").ok();
        let metadata = shell.run("kv metadata get live2/app").ok().says("== Metadata Path ==\nlive2/metadata/app\n");
        assert_eq!(metadata.row("max_versions"), "7");
        assert_eq!(metadata.row("cas_required"), "true");
        assert_eq!(metadata.row("custom_metadata"), "map[c:d]");
        metadata.says("====== Version 5 ======");
        shell.run("kv metadata delete live2/app").ok();
        shell.run("kv metadata get live2/app").ends(2).complains("No value found at live2/metadata/app");
    }

    fn any_path(shell: &Shell) {
        shell.run("write cubbyhole/x").ends(1).complains("-force");
        shell.pipe("write cubbyhole/x -", r#"{"n":1.50,"list":["a",2],"text":"t"}"#).ok();
        std::fs::write(shell.home().join("file"), "line\n").unwrap();
        shell.run("write cubbyhole/y value=@file a=1 a=2").ok();
        assert_eq!(shell.run("read -format=json cubbyhole/y").ok().json()["data"]["value"], "line\n");
        let read = shell.run("read cubbyhole/x").ok();
        assert_eq!((read.row("n"), read.row("list")), ("1.50".to_owned(), "[a 2]".to_owned()));
        assert_eq!(shell.run("read -field=n cubbyhole/x").ok().out, "1.50");
        assert_eq!(shell.run("read cubbyhole/x -field=list -format=json").ok().out, "[\n  \"a\",\n  2\n]");
        shell.run("read -format=yaml cubbyhole/x").ok().says("  list:\n  - a\n  - 2\n  \"n\": 1.50\n");
        shell.run("list cubbyhole").ok().says("Keys\n----\nx\ny\n");
        let wrapping = shell.run("read -wrap-ttl=60s -field=wrapping_token cubbyhole/x").ok().out;
        assert_eq!(shell.run(&format!("unwrap -field=text {wrapping}")).ok().out, "t");
        shell.run(&format!("unwrap {wrapping}")).ends(2).complains("Error unwrapping");
        shell.run("delete cubbyhole/x").ok().says("Data deleted (if it existed) at: cubbyhole/x");
        shell.run("read cubbyhole/x").ends(2).complains("No value found at cubbyhole/x");
        shell.run("read nowhere/at/all").ends(2);
    }

    fn tokens(shell: &Shell) {
        let made = shell
            .run("token create -policy=default -ttl=1h -metadata=who=me -display-name=live -format=json")
            .ok()
            .json();
        let token = made["auth"]["client_token"].as_str().unwrap().to_owned();
        let accessor = made["auth"]["accessor"].as_str().unwrap().to_owned();
        assert_eq!(made["auth"]["metadata"]["who"], "me");
        let found = shell.run(&format!("token lookup {token}")).ok();
        assert_eq!((found.row("display_name"), found.row("creation_ttl")), ("token-live".to_owned(), "1h".to_owned()));
        assert_eq!(shell.run(&format!("token lookup -accessor -field=path {accessor}")).ok().out, "auth/token/create");
        shell.run(&format!("token renew -increment=30m {token}")).ok().says("token_renewable      true");
        let may = shell.run(&format!("token capabilities {token} cubbyhole/x")).ok();
        assert_eq!(may.out, "create, delete, list, read, update\n");
        assert_eq!(shell.run("token capabilities sys/mounts").ok().out, "root\n");
        shell.run(&format!("token revoke -accessor {accessor}")).ok();
        shell.run(&format!("token lookup {token}")).ends(2).complains("Code: 403");
        let short = shell.run("token create -policy=default -use-limit=2 -orphan -field=token").ok().out;
        let limited = Shell { home: tempfile::tempdir().unwrap(), address: shell.address.clone(), token: Some(short) };
        let own = limited.run("token lookup").ok();
        assert_eq!((own.row("orphan"), own.row("num_uses")), ("true".to_owned(), "1".to_owned()));
        limited.run("token revoke -self").ok();
        limited.run("token lookup").ends(2).complains("permission denied");
    }

    fn policies(shell: &Shell) {
        let text = "path \"live1/*\" {\n  capabilities = [\"read\"]\n}\n";
        shell.pipe("policy write Live -", text).ok().says("Uploaded policy: live").complains("\"Live\"");
        assert_eq!(shell.run("policy read live").ok().out.trim(), text.trim());
        shell.run("policy list").ok().says("default\n").says("live\n");
        shell.pipe("policy write bad -", "path {").ends(2).complains("Error uploading policy");
        let token = shell.run("token create -policy=live -no-default-policy -ttl=5m -field=token").ok().out;
        let reader =
            Shell { home: tempfile::tempdir().unwrap(), address: shell.address.clone(), token: Some(token.clone()) };
        shell.run("write live1/seen a=b").ok();
        assert_eq!(reader.run("read -field=a live1/seen").ok().out, "b");
        reader.run("write live1/seen a=c").ends(2).complains("Code: 403").complains("arca token capabilities PATH");
        let explained = shell.run("policy explain -policy=live sys/mounts read").ends(2);
        explained.says("Allowed      no\n").says("path \"sys/mounts\" {");
        shell.pipe("policy explain -token=- -format=json sys/mounts read", &token).ends(2).says("\"allowed\": false");
        shell.run("policy explain sys/mounts read").ok().says("the policy \"root\" allows everything");
        shell.run("policy explain -token=- -accessor=x sys/mounts read").ends(1);
        shell.run("policy explain sys/mounts sing").ends(2).complains("operation must be one of");
        shell.run("policy delete live").ok();
        reader.run("read live1/seen").ends(2).complains("permission denied");
        shell.run("policy read live").ends(2).complains("No policy named: live");
    }

    fn mounts(shell: &Shell) {
        shell.run("secrets list").ok().says("live1/").says("cubbyhole/");
        shell.run("secrets list -detailed").ok().says("map[version:2]");
        shell.run("secrets tune -default-lease-ttl=2h -description=new live1").ok();
        assert_eq!(shell.run("secrets list -format=json").ok().json()["live1/"]["config"]["default_lease_ttl"], 7200);
        shell.run("secrets enable -path=live1 kv").ends(2).complains("path is already in use");
        shell.run("secrets move live1 live3").ok().says("Finished moving secrets engine live1/ to live3/");
        assert_eq!(shell.run("read -field=a live3/seen").ok().out, "b");
        // A mount that holds secrets takes them along.
        shell.run("kv enable-versioning live3").ok();
        assert_eq!(shell.run("kv get -field=a live3/seen").ok().out, "b");
        shell.run("secrets enable -path=live4 kv").ok();
        shell.run("kv enable-versioning live4").ok();
        for mount in ["live2", "live3", "live4"] {
            shell.run(&format!("secrets disable {mount}")).ok();
        }
        shell.run("auth enable -path=livecert -description=c cert").ok().says("Enabled cert auth method at: livecert/");
        shell.run("auth list").ok().says("livecert/").says("token/");
        shell.run("auth tune -max-lease-ttl=4h livecert").ok();
        shell.run("auth help livecert").ok().says("-client-cert");
        shell.run("auth disable livecert").ok();
        shell.run("auth help livecert").ends(1);
    }

    fn leases_and_audit(shell: &Shell) {
        shell.run("lease lookup nope").ends(2).complains("invalid lease");
        shell.run("lease renew nope").ends(2).complains("lease not found");
        shell.run("lease revoke -sync nope").ok().says("Revoked lease: nope");
        shell.run("lease revoke -prefix nope").ok();
        let devices = shell.run("audit list");
        assert!(devices.code == 0 || devices.out == "No audit devices are enabled.\n", "{}", devices.out);
        let before: i64 = shell.run("operator key-status").ok().row("Key Term").parse().unwrap();
        shell.run("operator rotate").ok().says("Success! Rotated key");
        let after: i64 = shell.run("operator key-status").ok().row("Key Term").parse().unwrap();
        assert_eq!(after, before + 1);
    }

    fn rekey(shell: &Shell, shares: &mut Vec<String>) {
        assert_eq!(shell.run("operator rekey -status").ok().row("Started"), "false");
        let begun = shell.run("operator rekey -init -key-shares=3 -key-threshold=2 -verify").ok();
        let nonce = begun.row("Nonce");
        shell.run(&format!("operator rekey -nonce=wrong {}", shares[0])).ends(2);
        shell.run(&format!("operator rekey -nonce={nonce} {}", shares[0])).ok().says("1/2");
        let new = shell.run(&format!("operator rekey -format=json -nonce={nonce} {}", shares[1])).ok().json();
        let fresh: Vec<_> =
            new["keys_base64"].as_array().unwrap().iter().map(|share| share.as_str().unwrap().to_owned()).collect();
        let verification = new["verification_nonce"].as_str().unwrap().to_owned();
        shell.run(&format!("operator rekey -verify -nonce={verification} {}", fresh[0])).ok().says("1/2");
        shell.run(&format!("operator rekey -verify -nonce={verification} {}", fresh[1])).ok().says("Success!");
        shell.run("operator rekey -cancel").ok();
        *shares = fresh;
    }

    fn generate_root(shell: &Shell, shares: &[String]) {
        let begun = shell.run("operator generate-root -init").ok();
        let (nonce, otp) = (begun.row("Nonce"), begun.row("OTP"));
        shell.run(&format!("operator generate-root -nonce={nonce} {}", shares[0])).ok().says("1/2");
        let last = shell.run(&format!("operator generate-root -nonce={nonce} {}", shares[1])).ok();
        let encoded = last.row("Encoded Token");
        let token = shell.run(&format!("operator generate-root -decode={encoded} -otp={otp}")).ok().out;
        let root = Shell {
            home: tempfile::tempdir().unwrap(),
            address: shell.address.clone(),
            token: Some(token.trim().to_owned()),
        };
        assert_eq!(root.run("token lookup").ok().row("policies"), "[root]");
        root.run("token revoke -self").ok();
        shell.run("operator generate-root -cancel").ok();
    }

    fn seal(shell: &Shell, shares: &[String]) {
        shell.run("operator seal").ok().says("Success! Vault is sealed.");
        shell.run("status").ends(2).says("Sealed             true");
        unseal(shell, shares);
        shell.run("operator seal").ok();
    }
}
