//! How long a start takes: from outside, to the millisecond.

use std::time::{Duration, Instant};

use hyper::body::Bytes;
use serde_json::json;

use crate::Error;
use crate::client::{Ask, Target};
use crate::plan::Start;
use crate::tls::{self, Files};

/// How often is asked.
const PAUSE: Duration = Duration::from_millis(1);

/// Unseals the server as soon as it listens, and returns when it has answered as an unsealed vault.
pub(crate) async fn unsealed(start: &Start) -> Result<(), Error> {
    let files = Files { authority: &start.authority, certificate: &start.certificate, key: &start.key };
    let target = Target::new(start.address, &start.token, tls::client(files, false)?);
    let late = Instant::now() + Duration::from_secs_f64(start.patience);
    let body = Bytes::from(json!({ "key": start.share }).to_string());
    let unseal = || Ask { body: body.clone(), ..Ask::new("POST", "/v1/sys/unseal".to_owned()) };
    until_answered(&target, unseal, late).await?;
    until_answered(&target, || Ask::new("GET", "/v1/auth/token/lookup-self".to_owned()), late).await
}

/// Asks again and again until the answer is good; over one connection as long as it lasts.
async fn until_answered(target: &Target, ask: impl Fn() -> Ask, late: Instant) -> Result<(), Error> {
    loop {
        let asked = target.connected(async |mut connection| {
            loop {
                let reply = connection.send(target.request(ask())?).await?;
                if reply.status.is_success() {
                    return Ok::<_, Error>(());
                }
                if Instant::now() >= late {
                    return Err(format!("the answer is still {}", reply.status).into());
                }
                tokio::time::sleep(PAUSE).await;
            }
        });
        match asked.await {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) | Err(error) if Instant::now() >= late => return Err(error),
            Ok(Err(_)) | Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
