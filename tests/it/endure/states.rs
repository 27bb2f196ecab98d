//! Terraform states behind HTTP, on a server that can be told to let a request wait.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use serde_json::Value;

/// The server. It ends with the process.
#[derive(Clone)]
pub(crate) struct States {
    port: u16,
    shared: Arc<(Mutex<Kept>, Condvar)>,
}

#[derive(Default)]
struct Kept {
    states: BTreeMap<String, Vec<u8>>,
    locks: BTreeMap<String, Vec<u8>>,
    /// What each request was, `<method> <path>`.
    requests: Vec<String>,
    /// Requests that wait, from which one of their kind on.
    held: BTreeMap<String, usize>,
    /// Whether no state is taken any more.
    is_full: bool,
}

impl Kept {
    /// How many such requests have come.
    fn come(&self, request: &str) -> usize {
        self.requests.iter().filter(|come| *come == request).count()
    }
}

impl States {
    pub(crate) fn serve() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let states = Self { port: listener.local_addr().unwrap().port(), shared: Arc::default() };
        let serving = states.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let serving = serving.clone();
                std::thread::spawn(move || serving.answer(stream));
            }
        });
        states
    }

    /// The `backend:` of an environment.
    pub(crate) fn backend(&self) -> String {
        let address = format!("http://127.0.0.1:{}", self.port);
        format!("{{type: http, config: {{address: '{address}', lock_address: '{address}', unlock_address: '{address}'}}}}")
    }

    /// Lets requests such as `GET /w/e/app/a` wait from now on.
    pub(crate) fn hold(&self, request: &str) {
        self.hold_from(request, 0);
    }

    /// Lets such requests wait from the `nth` on, the first being 1.
    pub(crate) fn hold_from(&self, request: &str, nth: usize) {
        self.shared.0.lock().unwrap().held.insert(request.to_owned(), nth);
    }

    /// Waits until so many such requests have come.
    pub(crate) fn wait_for(&self, request: &str, count: usize) {
        let (kept, changed) = &*self.shared;
        let kept = kept.lock().unwrap();
        let (kept, late) = changed.wait_timeout_while(kept, Duration::from_mins(1), |kept| kept.come(request) < count).unwrap();
        assert!(!late.timed_out(), "no `{request}` came, but {:?}", kept.requests);
    }

    /// Answers whatever waits.
    pub(crate) fn release(&self) {
        self.shared.0.lock().unwrap().held.clear();
        self.shared.1.notify_all();
    }

    /// Takes no state from now on.
    pub(crate) fn fill(&self) {
        self.shared.0.lock().unwrap().is_full = true;
    }

    /// How many requests have come.
    pub(crate) fn requests(&self) -> usize {
        self.shared.0.lock().unwrap().requests.len()
    }

    pub(crate) fn state(&self, path: &str) -> Option<Value> {
        Some(serde_json::from_slice(self.shared.0.lock().unwrap().states.get(path)?).unwrap())
    }

    pub(crate) fn locks(&self) -> usize {
        self.shared.0.lock().unwrap().locks.len()
    }

    fn answer(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        let mut line = String::new();
        while reader.read_line(&mut line).is_ok_and(|count| count > 0) {
            let mut words = line.split(' ');
            // A client that is killed may leave half a line.
            let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
            let (method, target) = (method.to_owned(), target.to_owned());
            let path = target.split('?').next().unwrap().to_owned();
            let mut length = 0;
            loop {
                line.clear();
                reader.read_line(&mut line).unwrap();
                if line.trim().is_empty() {
                    break;
                }
                if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                    length = value.trim().parse().unwrap();
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let (status, body) = self.handle(&method, &path, body);
            let head = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n", body.len());
            if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(&body)).is_err() {
                return;
            }
            line.clear();
        }
    }

    fn handle(&self, method: &str, path: &str, body: Vec<u8>) -> (&'static str, Vec<u8>) {
        let (kept, changed) = &*self.shared;
        let mut kept = kept.lock().unwrap();
        let request = format!("{method} {path}");
        kept.requests.push(request.clone());
        changed.notify_all();
        let number = kept.come(&request);
        let mut kept = changed.wait_while(kept, |kept| kept.held.get(&request).is_some_and(|from| number >= *from)).unwrap();
        match method {
            "GET" => kept.states.get(path).map_or(("404 Not Found", Vec::new()), |state| ("200 OK", state.clone())),
            "POST" if kept.is_full => ("507 Insufficient Storage", Vec::new()),
            "POST" => {
                kept.states.insert(path.to_owned(), body);
                ("200 OK", Vec::new())
            }
            "LOCK" => {
                if let Some(holder) = kept.locks.get(path) {
                    return ("423 Locked", holder.clone());
                }
                kept.locks.insert(path.to_owned(), body);
                ("200 OK", Vec::new())
            }
            "UNLOCK" => {
                kept.locks.remove(path);
                ("200 OK", Vec::new())
            }
            _ => ("405 Method Not Allowed", Vec::new()),
        }
    }
}
