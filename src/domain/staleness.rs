//! What a consumer should know of a connection that it is bound to (R20).

use serde::Serialize;

use super::address::Address;
use super::connection::{Binding, ConnectionRecord, ConnectionStatus};

/// A slot whose connection is not what it was applied with, or will not stay so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stale {
    /// `<ws>/<env>/<deployable>/<alias>.<slot>`.
    pub consumer: String,
    /// The connection.
    pub connection: Address,
    /// What there is to know, in words; never empty.
    pub because: Vec<String>,
}

/// What there is to know of a binding, when this is the connection now; none where it is gone.
pub fn because(binding: &Binding, now: Option<&ConnectionRecord>) -> Vec<String> {
    let Some(record) = now else { return vec!["it is gone".to_owned()] };
    let mut because = Vec::new();
    if record.uid != binding.uid {
        because.push("it was destroyed and created again".to_owned());
    } else if record.digest != binding.digest {
        // An imported connection is a document, which counts no generations.
        because.push(if record.generation == binding.generation {
            "it has changed since".to_owned()
        } else {
            format!("generation {} is in use, there is {}", binding.generation, record.generation)
        });
    }
    match record.status {
        ConnectionStatus::Degraded => because.push("the last apply of its producer failed".to_owned()),
        ConnectionStatus::Retiring => because.push("it is being taken out of use".to_owned()),
        ConnectionStatus::Ready | ConnectionStatus::Deprecated => {}
    }
    because.extend(record.deprecation.as_ref().map(ToString::to_string));
    because
}
