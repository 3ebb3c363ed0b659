//! The client's HTTP against a server that answers from a script.

#[cfg(test)]
mod http {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{SocketAddr, TcpListener};
    use std::path::Path;
    use std::process::{Command, Output};
    use std::sync::mpsc::{Receiver, channel};
    use std::thread;

    /// A server that gives these answers, one for each connection, and hands over the requests.
    fn serve(answers: Vec<String>) -> (SocketAddr, Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        thread::spawn(move || {
            for answer in answers {
                let (socket, _) = listener.accept().unwrap();
                let mut reader = BufReader::new(socket);
                let (mut request, mut length) = (String::new(), 0);
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                        length = value.trim().parse().unwrap();
                    }
                    request.push_str(&line);
                    if line.trim().is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).unwrap();
                request.push_str(&String::from_utf8(body).unwrap());
                reader.get_mut().write_all(answer.as_bytes()).unwrap();
                sender.send(request).unwrap();
            }
        });
        (address, requests)
    }

    fn answer(status: &str, headers: &str, body: &str) -> String {
        format!("HTTP/1.1 {status}\r\n{headers}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len())
    }

    fn arca(address: SocketAddr, line: &str) -> Output {
        arca_in(Path::new("."), address, line)
    }

    fn arca_in(folder: &Path, address: SocketAddr, line: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_arca"));
        command
            .args(line.split(' '))
            .current_dir(folder)
            .env_clear()
            .env("ARCA_ADDR", format!("http://{address}"))
            .env("ARCA_TOKEN", "s.t");
        command.env("ARCA_NAMESPACE", "/team/").output().unwrap()
    }

    fn stderr(output: &Output) -> String {
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    #[test]
    fn a_request_carries_what_vaults_clients_send() {
        let (address, requests) = serve(vec![answer("204 No Content", "", "")]);
        let done = arca(address, "write -wrap-ttl=5m -header=X-Trace=1 secret/a\u{20ac} k=v");
        assert!(done.status.success(), "{}", stderr(&done));
        let request = requests.recv().unwrap();
        assert!(request.starts_with("PUT /v1/secret/a%E2%82%AC HTTP/1.1\r\n"), "{request}");
        let lower = request.to_lowercase();
        for header in [
            "x-vault-request: true",
            "x-vault-token: s.t",
            "x-vault-namespace: team/",
            "x-vault-wrap-ttl: 5m",
            "x-trace: 1",
            "content-type: application/json",
        ] {
            assert!(lower.contains(&format!("\r\n{header}\r\n")), "{header} in {request}");
        }
        assert!(request.ends_with("\r\n\r\n{\"k\":\"v\"}"), "{request}");
    }

    #[test]
    fn one_redirect_is_followed_with_body_and_token() {
        let (second, redirected) = serve(vec![answer("204 No Content", "", "")]);
        let moved = answer("307 Temporary Redirect", &format!("Location: http://{second}/v1/secret/a\r\n"), "");
        let (first, _requests) = serve(vec![moved.clone(), moved]);
        let done = arca(first, "write secret/a k=v");
        assert!(done.status.success(), "{}", stderr(&done));
        let request = redirected.recv().unwrap();
        assert!(request.starts_with("PUT /v1/secret/a ") && request.ends_with("{\"k\":\"v\"}"), "{request}");
        assert!(request.to_lowercase().contains("x-vault-token: s.t"), "{request}");

        let refused = arca(first, "write -disable-redirects secret/a k=v");
        assert_eq!(refused.status.code(), Some(2));
        assert!(stderr(&refused).contains("redirects"), "{}", stderr(&refused));
    }

    #[test]
    fn a_quota_is_waited_for_and_a_failed_write_is_not_repeated() {
        let limited = answer("429 Too Many Requests", "", r#"{"errors":["quota"]}"#);
        let (address, _requests) = serve(vec![limited, answer("200 OK", "", r#"{"data":{"a":"b"}}"#)]);
        let done = arca(address, "read -field=a secret/a");
        assert_eq!((done.status.code(), done.stdout.as_slice()), (Some(0), &b"b"[..]), "{}", stderr(&done));

        let failed = answer("500 Internal Server Error", "", r#"{"errors":["internal error"]}"#);
        let (address, requests) = serve(vec![failed.clone(), failed]);
        let done = arca(address, "write secret/a k=v");
        assert_eq!(done.status.code(), Some(2));
        assert!(stderr(&done).contains("Code: 500. Errors:\n\n* internal error\n"), "{}", stderr(&done));
        requests.recv().unwrap();
        assert!(requests.try_recv().is_err(), "the write was sent twice");
    }

    #[test]
    fn an_answer_that_is_none_is_told_without_its_text() {
        for body in ["{\"data\":{\"password\":\"hunter2\"", "<html>hunter2</html>", "[\"hunter2\""] {
            let (address, _requests) = serve(vec![answer("200 OK", "", body)]);
            let done = arca(address, "read secret/a");
            assert_eq!(done.status.code(), Some(2), "{body}");
            assert!(
                stderr(&done).contains("cannot be read") && !stderr(&done).contains("hunter2"),
                "{}",
                stderr(&done)
            );
        }
        let (address, _requests) = serve(vec!["HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"da".to_owned()]);
        assert_eq!(arca(address, "read secret/a").status.code(), Some(2));
    }

    #[test]
    fn a_backup_that_is_broken_off_leaves_no_file() {
        const HEAD: &str = "HTTP/1.1 200 OK\r\nContent-Type: application/gzip\r\nTransfer-Encoding: chunked\r\n\r\n";
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup");
        let line = format!("operator backup {}", file.display());
        // A server that is sealed meanwhile ends between two pieces, within one, or before the first.
        for cut in ["", "4\r\nhalf\r\n", "8\r\nhalf", "4\r\nhalf\r\n0"] {
            let (address, _requests) = serve(vec![format!("{HEAD}{cut}")]);
            let done = arca(address, &line);
            assert_eq!(done.status.code(), Some(2), "{cut:?}: {}", stderr(&done));
            assert!(stderr(&done).contains("Error taking the backup"), "{cut:?}: {}", stderr(&done));
            let left: Vec<_> = folder.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
            assert!(left.is_empty(), "{cut:?} leaves {left:?}");
            let (address, _requests) = serve(vec![format!("{HEAD}{cut}")]);
            assert_eq!(arca(address, "operator backup -").status.code(), Some(2), "{cut:?}");
        }
        let (address, _requests) = serve(vec![format!("{HEAD}4\r\nhalf\r\n4\r\nhalf\r\n0\r\n\r\n")]);
        let done = arca(address, &line);
        assert!(done.status.success(), "{}", stderr(&done));
        assert_eq!(std::fs::read(&file).unwrap(), b"halfhalf");
        // The next one may be of a store that is hurt.
        let refused = arca(address, &line);
        assert_eq!(refused.status.code(), Some(1), "{}", stderr(&refused));
        assert!(stderr(&refused).contains("already") && stderr(&refused).contains("-force"), "{}", stderr(&refused));
        assert_eq!(std::fs::read(&file).unwrap(), b"halfhalf");
        for (n, line) in [format!("{line} -force"), line.replace("backup ", "raft snapshot save ")].iter().enumerate() {
            let (address, _requests) = serve(vec![format!("{HEAD}1\r\n{n}\r\n0\r\n\r\n")]);
            let done = arca(address, line);
            assert!(done.status.success(), "{}", stderr(&done));
            assert_eq!(std::fs::read(&file).unwrap(), n.to_string().into_bytes());
        }
    }

    #[test]
    fn a_checkpoint_is_printed_if_no_file_is_named() {
        let (body, folder) = (r#"{"format":"arca-checkpoint"}"#, tempfile::tempdir().unwrap());
        for words in ["operator checkpoint", "operator checkpoint -"] {
            let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
            let (address, _requests) = serve(vec![answer]);
            let done = arca_in(folder.path(), address, words);
            assert!(done.status.success(), "{}", stderr(&done));
            assert!(String::from_utf8_lossy(&done.stdout).contains("arca-checkpoint"), "{words}");
            assert_eq!(folder.path().read_dir().unwrap().count(), 0, "{words}");
        }
    }
}
