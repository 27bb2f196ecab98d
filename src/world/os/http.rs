//! Real HTTP, with the certificates of the machine and proxies as the usual variables say.

use std::time::Duration;

use async_trait::async_trait;
use http::{Request, Response};
use reqwest::{Certificate, Client};
use tokio::sync::OnceCell;

use crate::world::http::LONGEST;
use crate::world::{Http, HttpError};

/// A client that is made when it is first used: reading the machine's certificates takes a while.
pub(super) struct OsHttp {
    /// Further certificates to trust, PEM.
    authorities: Vec<u8>,
    client: OnceCell<Client>,
}

impl OsHttp {
    pub(super) fn trusting(authorities: &[u8]) -> Self {
        Self { authorities: authorities.to_vec(), client: OnceCell::new() }
    }

    async fn client(&self) -> reqwest::Result<&Client> {
        self.client
            .get_or_try_init(|| async {
                let further = Certificate::from_pem_bundle(&self.authorities)?;
                let builder = Client::builder().timeout(LONGEST).connect_timeout(Duration::from_secs(20)).https_only(false);
                further.into_iter().fold(builder, reqwest::ClientBuilder::add_root_certificate).build()
            })
            .await
    }
}

#[async_trait]
impl Http for OsHttp {
    async fn send(&self, request: Request<Vec<u8>>, limit: usize) -> Result<Response<Vec<u8>>, HttpError> {
        let host = request.uri().host().unwrap_or("an address without a host").to_owned();
        tracing::debug!("{} {}{}", request.method(), host, request.uri().path());
        let failed = |problem: reqwest::Error| failed(&host, problem);
        let request = reqwest::Request::try_from(request).map_err(failed)?;
        let mut answer = self.client().await.map_err(failed)?.execute(request).await.map_err(failed)?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > limit {
                let why = format!("its answer is longer than {limit} bytes");
                return Err(HttpError { host, why, may_have_arrived: true });
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body);
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

fn failed(host: &str, problem: reqwest::Error) -> HttpError {
    let may_have_arrived = !problem.is_connect() && !problem.is_builder();
    let why = if problem.is_timeout() { "it did not answer in time".to_owned() } else { innermost(&problem.without_url()) };
    HttpError { host: host.to_owned(), why, may_have_arrived }
}

/// The innermost cause, which says most.
pub(super) fn innermost(problem: &dyn std::error::Error) -> String {
    std::iter::successors(Some(problem), |problem| problem.source()).last().unwrap_or(problem).to_string()
}
