//! The floor: the smallest axum server with the same TLS, which answers bytes from a map.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_util::task::TaskTracker;

use crate::Error;
use crate::tls::{self, Files};

/// What the floor serves.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The port of 127.0.0.1 that it listens on
    #[arg(long)]
    port: u16,
    /// The authority of the clients, in PEM
    #[arg(long)]
    authority: PathBuf,
    /// The certificate, in PEM
    #[arg(long)]
    certificate: PathBuf,
    /// Its key, in PEM
    #[arg(long)]
    key: PathBuf,
    /// How many answers there are
    #[arg(long)]
    keys: usize,
    /// A file with the answer
    #[arg(long)]
    answer: PathBuf,
}

type Answers = Arc<HashMap<String, Bytes>>;

/// Serves until it is killed.
pub(crate) fn serve(args: &Args) -> Result<(), Error> {
    let answer = Bytes::from(std::fs::read(&args.answer)?);
    let answers: Answers =
        Arc::new((0..args.keys).map(|number| (format!("k{number}"), Bytes::copy_from_slice(&answer))).collect());
    let files = Files { authority: &args.authority, certificate: &args.certificate, key: &args.key };
    let acceptor = TlsAcceptor::from(tls::server(files)?);
    let app = Router::new().route("/v1/secret/data/{key}", get(read)).with_state(answers);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let socket = TcpListener::bind(("127.0.0.1", args.port)).await?;
        let connections = TaskTracker::new();
        loop {
            let (stream, _) = socket.accept().await?;
            connections.spawn(connection(acceptor.clone(), stream, app.clone()));
        }
    })
}

async fn connection(acceptor: TlsAcceptor, stream: TcpStream, app: Router) {
    let _ = stream.set_nodelay(true);
    let Ok(stream) = acceptor.accept(stream).await else { return };
    // A client that goes away is no fault of the floor.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), TowerToHyperService::new(app)).await;
}

async fn read(State(answers): State<Answers>, Path(key): Path<String>) -> Response {
    match answers.get(&key) {
        Some(answer) => ([(header::CONTENT_TYPE, "application/json")], answer.clone()).into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
