//! States on a server of the organization's own, over HTTP.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::hand_over::HandOver;

const USER: &str = "runner";
const PASSWORD: &str = "canary-of-the-state-servers-password";

/// A server of states: `GET` and `POST` of a state, `LOCK` and `UNLOCK`.
struct StateServer {
    port: u16,
    held: Arc<Mutex<Held>>,
}

#[derive(Default)]
struct Held {
    states: BTreeMap<String, String>,
    /// What the holders say of themselves, in JSON, by state.
    locks: BTreeMap<String, String>,
    /// States that were locked at some time.
    locked: Vec<String>,
    /// What no client may do.
    violations: Vec<String>,
}

impl StateServer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let held = Arc::<Mutex<Held>>::default();
        let shared = Arc::clone(&held);
        // It ends with the test's process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let held = Arc::clone(&shared);
                thread::spawn(move || answer(&stream.unwrap(), &held));
            }
        });
        Self { port, held }
    }

    fn organization(&self) -> HandOver {
        let url = format!("http://127.0.0.1:{}/states", self.port);
        let config = format!("address: \"{url}\", lock_address: \"{url}\", unlock_address: \"{url}\"");
        let variables = [("TF_HTTP_USERNAME", USER), ("TF_HTTP_PASSWORD", PASSWORD), ("NO_PROXY", "127.0.0.1")];
        HandOver::new(&format!("{{type: http, config: {{{config}}}}}"), &variables)
    }
}

/// Answers every request of a connection.
fn answer(stream: &TcpStream, held: &Mutex<Held>) {
    let mut reader = BufReader::new(stream);
    while let Some((line, authorized, body)) = read(&mut reader) {
        let mut words = line.split(' ');
        let (method, target) = (words.next().unwrap(), words.next().unwrap());
        let (status, body) = if authorized { held.lock().unwrap().serve(method, target, body) } else { (401, String::new()) };
        let answer = format!("HTTP/1.1 {status} {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let mut stream = stream;
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

/// The request line, whether its sender is known, and the body.
fn read(reader: &mut impl std::io::BufRead) -> Option<(String, bool, String)> {
    let expected = format!("authorization: basic {}", STANDARD.encode(format!("{USER}:{PASSWORD}"))).to_lowercase();
    let head: Vec<String> = reader.by_ref().lines().map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
    let header = |name: &str| head.iter().find_map(|line| line.to_lowercase().strip_prefix(name).map(str::to_owned));
    let length = header("content-length: ").map_or(0, |length| length.parse().unwrap());
    let mut body = String::new();
    reader.take(length).read_to_string(&mut body).ok()?;
    Some((head.first()?.clone(), head.iter().any(|line| line.to_lowercase() == expected), body))
}

impl Held {
    fn serve(&mut self, method: &str, target: &str, body: String) -> (u16, String) {
        let (state, query) = target.split_once('?').unwrap_or((target, ""));
        let state = state.trim_start_matches("/states/").to_owned();
        let holder = self.locks.get(&state).cloned();
        match (method, holder) {
            ("GET", _) => self.states.get(&state).map_or((404, String::new()), |text| (200, text.clone())),
            ("LOCK", Some(holder)) => (423, holder),
            ("LOCK", None) => {
                self.locked.push(state.clone());
                self.locks.insert(state, body);
                (200, String::new())
            }
            ("UNLOCK", Some(holder)) if id(&holder) == id(&body) => {
                self.locks.remove(&state);
                (200, String::new())
            }
            ("POST", Some(holder)) if query == format!("ID={}", id(&holder)) => {
                self.states.insert(state, body);
                (200, String::new())
            }
            (method, holder) => {
                self.violations.push(format!("{method} {target} while held by {holder:?}"));
                (409, String::new())
            }
        }
    }
}

fn id(lock: &str) -> String {
    let lock: Value = serde_json::from_str(lock).unwrap_or_default();
    lock["ID"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn acceptance_http_a_secret_is_handed_over_through_the_producers_state() {
    let server = StateServer::start();
    server.organization().proves(&[PASSWORD]);
    let held = server.held.lock().unwrap();
    assert_eq!(held.states.keys().collect::<Vec<_>>(), ["platform/staging/data/database", "retail/staging/shop/api"]);
    assert!(held.states.keys().all(|state| held.locked.contains(state)), "written without a lock");
    assert!(held.locks.is_empty(), "left locked: {:?}", held.locks);
    assert!(held.violations.is_empty(), "{:#?}", held.violations);
}

#[test]
fn acceptance_http_a_state_that_is_locked_is_left_alone() {
    let server = StateServer::start();
    let organization = server.organization();
    let state = "platform/staging/data/database".to_owned();
    server.held.lock().unwrap().locks.insert(state.clone(), r#"{"ID":"0a1b","Who":"ana@laptop"}"#.to_owned());
    // Terraform shows the lock that it asked for as if it were the one that is held.
    organization.is_refused_while_locked().says("the state lock `0a1b` is held").never_says("Who:");
    server.held.lock().unwrap().locks.remove(&state);
    organization.deploy("data");
}

#[test]
fn acceptance_http_states_move() {
    let server = StateServer::start();
    server.organization().proves_moves(&[PASSWORD]);
    let held = server.held.lock().unwrap();
    for left in ["platform/staging/data/database", "retail/staging/shop/api"] {
        let state: Value = serde_json::from_str(&held.states[left]).unwrap();
        assert_eq!((&state["resources"], &state["outputs"]), (&serde_json::json!([]), &serde_json::json!({})), "{left} is empty");
    }
    assert!(held.locks.is_empty(), "left locked: {:?}", held.locks);
    assert!(held.violations.is_empty(), "{:#?}", held.violations);
}
