//! Any other path: a client that speaks version 1 is told so, with 404 and a warning that the CLI shows.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::engine::{Answer, Cx, Data, Endpoint, Reply, Route, Routes, StatusCode};
use crate::error::{Error, Kind, Result};

use super::Kv2;

/// The words that begin the paths of secrets.
const SECRET_WORDS: [&str; 6] = ["data", "delete", "destroy", "metadata", "subkeys", "undelete"];

/// Adds what answers at every path that no other endpoint has.
pub(super) fn add(routes: Routes<Kv2>) -> Routes<Kv2> {
    routes
        .endpoint::<Read>()
        .endpoint::<ReadRoot>()
        .endpoint::<Write>()
        .endpoint::<WriteRoot>()
        .endpoint::<Patch>()
        .endpoint::<PatchRoot>()
        .endpoint::<Delete>()
        .endpoint::<DeleteRoot>()
        .endpoint::<List>()
        .endpoint::<Scan>()
}

/// Any path, or none.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default)]
struct AnyPath {
    path: String,
}

macro_rules! elsewhere {
    ($($name:ident: $route:ident($pattern:literal), $command:literal;)+) => {$(
        /// Any path that is none of version 2.
        #[derive(Debug, Deserialize, JsonSchema)]
        struct $name {}

        impl Endpoint for $name {
            type Target = Kv2;
            type Path = AnyPath;
            type Reply = Answer;
            const ROUTE: Route = Route::$route($pattern).summary("No path of version 2");

            async fn handle(self, _: &Kv2, AnyPath { path }: AnyPath, _: &mut Cx<'_>) -> Result<Answer> {
                answer(&path, Self::ROUTE.operation.is_listing(), $command)
            }
        }
    )+};
}

elsewhere! {
    Read: read("{path..}"), "get";
    ReadRoot: read(""), "get";
    Write: write("{path..}"), "put";
    WriteRoot: write(""), "put";
    Patch: patch("{path..}"), "patch";
    PatchRoot: patch(""), "patch";
    Delete: delete("{path..}"), "delete";
    DeleteRoot: delete(""), "delete";
    List: list("{path..}"), "list";
    Scan: scan("{path..}"), "scan";
}

/// The answer to an operation at `path` that no other endpoint knows.
fn answer(path: &str, listing: bool, command: &str) -> Result<Answer> {
    let (word, below) = path.split_once('/').map_or((path, None), |(word, below)| (word, Some(below)));
    let known = match word {
        "config" => below.is_none() && !listing,
        "detailed-metadata" => below.is_some(),
        word => SECRET_WORDS.contains(&word),
    };
    let root = known && word != "config" && below.is_none() && !listing;
    match (known, root) {
        (true, true) => absent("Non-listing operations on the root of a K/V v2 mount are not supported.".to_owned()),
        (true, false) => Err(Error::new(Kind::MethodNotAllowed, "1 error occurred:\n\t* unsupported operation\n\n")),
        (false, _) => absent(format!(
            "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to \
             use. If using the CLI, use 'arca kv {command}' for this operation."
        )),
    }
}

/// 404 with a warning.
fn absent(warning: String) -> Result<Answer> {
    let answer = Data::new(()).with_status(StatusCode::NOT_FOUND).into_answer()?;
    Ok(Answer { warnings: vec![warning.into()], ..answer })
}
