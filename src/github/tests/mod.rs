//! The client against a server that says what a test has written down, on a clock that does not wait.

mod app;
mod limits;
mod records;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use http::{Request, Response};
use serde_json::{Value, json};

use super::*;
use crate::secrets::Secret;
use crate::world::{Clock, Http, HttpError, World};

/// A server that gives its answers one after the other, and remembers what it was asked.
#[derive(Default)]
struct Script {
    answers: Mutex<VecDeque<Result<Response<Vec<u8>>, HttpError>>>,
    asked: Mutex<Vec<Request<Vec<u8>>>>,
}

#[async_trait]
impl Http for Script {
    async fn send(&self, request: Request<Vec<u8>>, _: usize) -> Result<Response<Vec<u8>>, HttpError> {
        self.asked.lock().unwrap().push(request);
        self.answers.lock().unwrap().pop_front().expect("the server was asked more than the test says")
    }
}

/// A clock whose waits are over at once, and are remembered.
#[derive(Default)]
struct Waits(Mutex<Vec<Duration>>);

const START: DateTime<Utc> = DateTime::from_timestamp(1_800_000_000, 0).unwrap();

#[async_trait]
impl Clock for Waits {
    fn now(&self) -> DateTime<Utc> {
        START + self.0.lock().unwrap().iter().sum::<Duration>()
    }

    async fn sleep(&self, duration: Duration) {
        self.0.lock().unwrap().push(duration);
    }
}

struct Bench {
    world: World,
    server: Arc<Script>,
    clock: Arc<Waits>,
}

impl Bench {
    fn new() -> Self {
        let (server, clock) = (Arc::new(Script::default()), Arc::new(Waits::default()));
        let mut world = crate::world::os::world().unwrap();
        world.http = server.clone();
        world.clock = clock.clone();
        Self { world, server, clock }
    }

    /// A client with a workflow's token, on a server of one's own.
    fn client(&self) -> Client {
        self.client_of(Identity::Token(Secret::new("ghs_token")))
    }

    fn client_of(&self, identity: Identity) -> Client {
        let server = Server::at(Some("https://ghes.test/api/v3/"), Some("https://ghes.test"));
        Client::new(&self.world, &server, identity)
    }

    fn answers(&self, status: u16, headers: &[(&str, &str)], body: &Value) -> &Self {
        let response = Response::builder().status(status);
        let response = headers.iter().fold(response, |response, (name, value)| response.header(*name, *value));
        self.server.answers.lock().unwrap().push_back(Ok(response.body(body.to_string().into_bytes()).unwrap()));
        self
    }

    fn fails(&self, may_have_arrived: bool) -> &Self {
        let problem = HttpError { host: "ghes.test".into(), why: "connection reset".into(), may_have_arrived };
        self.server.answers.lock().unwrap().push_back(Err(problem));
        self
    }

    /// What was asked, as method and address. Every answer was used.
    fn asked(&self) -> Vec<String> {
        assert!(self.server.answers.lock().unwrap().is_empty(), "the server was asked less than the test says");
        let asked = self.server.asked.lock().unwrap();
        asked.iter().map(|request| format!("{} {}", request.method(), request.uri())).collect()
    }

    fn body(&self, index: usize) -> Value {
        serde_json::from_slice(self.server.asked.lock().unwrap()[index].body()).unwrap()
    }

    fn header(&self, index: usize, name: &str) -> String {
        self.server.asked.lock().unwrap()[index].headers()[name].to_str().unwrap().to_owned()
    }

    fn waited(&self) -> Vec<u64> {
        self.clock.0.lock().unwrap().iter().map(Duration::as_secs).collect()
    }
}

fn repository() -> Repository {
    Repository { owner: "acme".into(), name: "shop".into() }
}
