//! Endpoints that the client has no function for, through its own way of making requests.

use rustify::endpoint::Endpoint;
use rustify::enums::{RequestMethod, RequestType, ResponseType};
use rustify::errors::ClientError as HttpError;
use serde_json::Value;
use vaultrs::api::{self, AuthInfo, ResponseWrapper, WrapInfo};
use vaultrs::client::VaultClient;
use vaultrs::error::ClientError;

/// One request.
#[derive(Debug)]
pub struct Ask {
    method: RequestMethod,
    path: String,
    body: Option<Value>,
}

impl Endpoint for Ask {
    type Response = Value;
    const REQUEST_BODY_TYPE: RequestType = RequestType::JSON;
    const RESPONSE_BODY_TYPE: ResponseType = ResponseType::JSON;

    fn path(&self) -> String {
        self.path.clone()
    }

    fn method(&self) -> RequestMethod {
        self.method.clone()
    }

    fn body(&self) -> Result<Option<Vec<u8>>, HttpError> {
        Ok(self.body.as_ref().map(|body| serde_json::to_vec(body).unwrap()))
    }
}

fn write_request(path: &str, body: Value) -> Ask {
    Ask { method: RequestMethod::POST, path: path.to_owned(), body: Some(body) }
}

/// The data of an answer.
pub async fn read(client: &VaultClient, path: &str) -> Result<Value, ClientError> {
    api::exec_with_result(client, Ask { method: RequestMethod::GET, path: path.to_owned(), body: None }).await
}

/// An answer that has no envelope.
pub async fn plain(client: &VaultClient, path: &str) -> Result<Value, ClientError> {
    api::exec_with_no_result(client, Ask { method: RequestMethod::GET, path: path.to_owned(), body: None }).await
}

/// The keys of a list.
pub async fn keys(client: &VaultClient, path: &str) -> Result<Vec<String>, ClientError> {
    let ask = Ask { method: RequestMethod::LIST, path: path.to_owned(), body: None };
    let data = api::exec_with_result(client, ask).await?;
    Ok(serde_json::from_value(data["keys"].clone()).unwrap())
}

/// The data that is answered to a write.
pub async fn write(client: &VaultClient, path: &str, body: Value) -> Result<Value, ClientError> {
    api::exec_with_result(client, write_request(path, body)).await
}

/// A write that is answered with nothing, or with what does not matter.
pub async fn tell(client: &VaultClient, path: &str, body: Value) -> Result<(), ClientError> {
    api::exec_with_empty(client, write_request(path, body)).await
}

/// The whole answer to a write, whatever it has.
pub async fn answer(client: &VaultClient, path: &str, body: Value) -> Result<Value, ClientError> {
    api::exec_with_no_result(client, write_request(path, body)).await
}

/// The token that is made.
pub async fn auth(client: &VaultClient, path: &str, body: Value) -> Result<AuthInfo, ClientError> {
    let answer = answer(client, path, body).await?;
    Ok(serde_json::from_value(answer["auth"].clone()).unwrap())
}

/// What an answer is wrapped in.
pub async fn wrapped(client: &VaultClient, path: &str, body: Value) -> Result<WrapInfo, ClientError> {
    Ok(write_request(path, body).wrap(client).await?.info)
}

/// Removes something.
pub async fn delete(client: &VaultClient, path: &str) -> Result<(), ClientError> {
    api::exec_with_empty(client, Ask { method: RequestMethod::DELETE, path: path.to_owned(), body: None }).await
}
