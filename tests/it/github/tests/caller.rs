//! A plain HTTP client.

use reqwest::header::HeaderMap;
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::runtime::Runtime;

/// Somebody with a token, or a stranger.
pub(super) struct Caller {
    url: String,
    token: Option<String>,
    headers: Vec<(&'static str, String)>,
}

/// What came back.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

impl Caller {
    pub(super) fn new(url: &str, token: &str) -> Self {
        Self { url: url.to_owned(), token: Some(token.to_owned()), headers: Vec::new() }
    }

    pub(super) fn stranger(url: &str) -> Self {
        Self { url: url.to_owned(), token: None, headers: Vec::new() }
    }

    /// The same, with one header more.
    pub(super) fn with(&self, name: &'static str, value: &str) -> Self {
        let mut headers = self.headers.clone();
        headers.push((name, value.to_owned()));
        Self { url: self.url.clone(), token: self.token.clone(), headers }
    }

    pub(super) fn get(&self, path: &str) -> Got {
        self.send(Method::GET, path, None).unwrap()
    }

    pub(super) fn post(&self, path: &str, body: &Value) -> Got {
        self.send(Method::POST, path, Some(body)).unwrap()
    }

    pub(super) fn put(&self, path: &str, body: &Value) -> Got {
        self.send(Method::PUT, path, Some(body)).unwrap()
    }

    pub(super) fn patch(&self, path: &str, body: &Value) -> Got {
        self.send(Method::PATCH, path, Some(body)).unwrap()
    }

    pub(super) fn delete(&self, path: &str) -> Got {
        self.send(Method::DELETE, path, None).unwrap()
    }

    /// # Errors
    /// When there is no answer.
    pub(super) fn send(&self, method: Method, path: &str, body: Option<&Value>) -> reqwest::Result<Got> {
        Runtime::new().unwrap().block_on(async {
            let client = Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build()?;
            let url = if path.starts_with("http") { path.to_owned() } else { format!("{}{path}", self.url) };
            let mut request = client.request(method, url).header("user-agent", "double-tests");
            for (name, value) in &self.headers {
                request = request.header(*name, value);
            }
            if let Some(token) = &self.token {
                request = request.bearer_auth(token);
            }
            if let Some(body) = body {
                request = request.header("content-type", "application/json").body(body.to_string());
            }
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Got { status, headers, body: response.bytes().await?.to_vec() })
        })
    }
}

impl Got {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    pub(super) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Asserts success, and gives the body.
    pub(super) fn ok(&self) -> Value {
        assert!((200..300).contains(&self.status), "{} {}", self.status, self.json());
        self.json()
    }

    /// Asserts a refusal with these words.
    pub(super) fn is(&self, status: u16, message: &str) {
        assert_eq!((self.status, &self.json()["message"]), (status, &json!(message)));
    }
}
