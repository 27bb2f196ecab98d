//! The rules of a connection interface type.

use serde_json::Value;

use super::{Document, keys_of, unknown};
use crate::documents::finding::Finding;
use crate::documents::{Kind, values};
use crate::domain::connection_type::ConnectionType;
use crate::domain::diagnostic::Pointer;
use crate::domain::names::AttributeName;

impl Document for ConnectionType {
    const KIND: Kind = Kind::ConnectionInterfaceType;

    fn findings(&self, _file: &str, _value: &Value) -> Vec<Finding> {
        let at = Pointer::keys(["attributes"]);
        let mut findings = values::check_object_schema(&self.attributes, &at);
        let names = keys_of(&self.attributes, &Pointer::keys(["properties"]));
        for name in &names {
            if let Err(error) = AttributeName::new(*name) {
                findings.push(Finding::new(at.clone().key("properties").key(*name).at_key(), error.to_string()));
            }
        }
        let required = self.attributes.get("required").and_then(Value::as_array);
        for (index, name) in required.into_iter().flatten().enumerate() {
            if let Some(name) = name.as_str().filter(|name| !names.contains(name)) {
                findings.push(unknown(at.clone().key("required").index(index), "attribute", name, &names));
            }
        }
        findings
    }
}
