//! The rules of texts in our own schemas, in words.

use std::sync::LazyLock;

use schemars::{JsonSchema, SchemaGenerator};
use serde_json::Value;

use crate::domain::address::{AliasMember, PartialAddress};
use crate::domain::connection_type::TypeRef;
use crate::domain::mapping::AttributePath;
use crate::domain::names::{Alias, AttributeName, SlotName, TypeName, VersionTag};
use crate::domain::organization::DefaultKey;

/// The rule that a pattern of our own schemas stands for, in words.
pub(super) fn rule_of(pattern: &str) -> Option<&'static str> {
    RULES.iter().find(|(known, _)| known == pattern).map(|(_, rule)| *rule)
}

static RULES: LazyLock<Vec<(String, &'static str)>> = LazyLock::new(|| {
    let name_rules = [
        (pattern_of::<Alias>(), Alias::new("").err()),
        (pattern_of::<AttributeName>(), AttributeName::new("").err()),
        (pattern_of::<TypeName>(), TypeName::new("").err()),
        (pattern_of::<VersionTag>(), VersionTag::new("").err()),
    ];
    let rules = name_rules.into_iter().filter_map(|(pattern, error)| Some((pattern, error?.rule)));
    rules
        .chain([
            (pattern_of::<AliasMember<SlotName>>(), "write an alias, a dot, and the name of its slot or output: `alias.name`"),
            (pattern_of::<AttributePath>(), "write names of attributes with dots between them, such as `specs.aws.region`"),
            (pattern_of::<TypeRef>(), "write the name of a connection interface type, and `@` and a version where one is meant: `postgres-conn@2`"),
            (pattern_of::<DefaultKey>(), "write the name of a connection interface type, and `:` and a slot where only those are meant: `aws-vpc-conn:peer`"),
        ])
        .collect()
});

fn pattern_of<T: JsonSchema>() -> String {
    let schema = T::json_schema(&mut SchemaGenerator::default());
    schema.get("pattern").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// A kind of text that no pattern describes.
pub(super) struct Format {
    pub(super) name: &'static str,
    /// What is wrong with a text, if anything is.
    pub(super) check: fn(&str) -> Result<(), String>,
}

/// The values that `format` has in our own schemas.
pub(super) static FORMATS: [Format; 3] = [
    Format { name: "address", check: |text| text.parse::<PartialAddress>().map(drop).map_err(|error| error.to_string()) },
    Format {
        name: "version",
        check: |text| {
            semver::Version::parse(text).map(drop).map_err(|error| format!("`{text}` is not a version such as `1.4.0`: {error}"))
        },
    },
    Format {
        name: "version-range",
        check: |text| {
            semver::VersionReq::parse(text)
                .map(drop)
                .map_err(|error| format!("`{text}` is not a range of versions such as `>=1, <2`: {error}"))
        },
    },
];
