//! The rules of an environment.

use serde_json::Value;

use super::organization::check_sealing;
use super::{Document, account, backend, check_environment_name, check_file_name};
use crate::documents::Kind;
use crate::documents::finding::Finding;
use crate::domain::address::PartialTarget;
use crate::domain::diagnostic::Pointer;
use crate::domain::organization::Environment;

impl Document for Environment {
    const KIND: Kind = Kind::Environment;

    fn findings(&self, file: &str, _value: &Value) -> Vec<Finding> {
        let mut findings = backend::check_environment(&self.backend, &Pointer::keys(["backend"]));
        if let Some(account) = &self.account {
            findings.extend(account::check(account, &self.backend, &Pointer::keys(["account"])));
        }
        findings.extend(check_environment_name(&self.name, Pointer::keys(["name"])));
        findings.extend(check_file_name(file, "environments", self.name.as_str()));
        findings.extend(self.sealing.iter().flat_map(check_sealing));
        for (key, address) in &self.defaults {
            if matches!(address.target, PartialTarget::Output { deployable: None, .. }) {
                findings.push(
                    Finding::new(
                        Pointer::keys(["defaults", &key.to_string()]),
                        format!("`{address}` does not say which deployable publishes it"),
                    )
                    .help(format!("write `<deployable>/{address}`, with workspace and environment before it where they differ")),
                );
            }
        }
        findings
    }
}
