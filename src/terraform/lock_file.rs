//! What a provider lock file (`.terraform.lock.hcl`) says.

use std::borrow::Cow;
use std::collections::BTreeMap;

use hcl_edit::structure::{Block, Body};
use semver::Version;

/// The version that each provider is locked at, by its address. What cannot be read is left out.
pub fn locked_versions(text: &str) -> BTreeMap<String, Version> {
    locked(text).into_iter().map(|(address, (version, _))| (address, version)).collect()
}

/// A lock file with every provider of both, each as the one of them has it that locks the higher version. Where that is always `now`, it is
/// `now` as it stands.
pub fn higher_locks<'a>(now: &'a str, then: &str) -> Cow<'a, str> {
    let mut merged = locked(now);
    let is_higher = |address: &String, version: &Version| merged.get(address).is_none_or(|(now, _)| now < version);
    let higher: BTreeMap<_, _> = locked(then).into_iter().filter(|(address, (version, _))| is_higher(address, version)).collect();
    if higher.is_empty() {
        return Cow::Borrowed(now);
    }
    merged.extend(higher);
    Cow::Owned(merged.into_values().map(|(_, block)| block).collect::<Body>().to_string())
}

fn locked(text: &str) -> BTreeMap<String, (Version, Block)> {
    let Ok(body) = text.parse::<Body>() else { return BTreeMap::new() };
    let providers = body.get_blocks("provider").filter_map(|block| {
        let address = block.labels.first()?.as_str().to_owned();
        let version = block.body.get_attribute("version")?.value.as_str()?.parse().ok()?;
        Some((address, (version, block.clone())))
    });
    providers.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_provider_has_its_version() {
        let text = "# made by terraform init\nprovider \"registry.example/acme/cloud\" {\n  version     = \"5.10.0\"\n  constraints = \"~> 5.0\"\n  hashes = [\n    \"h1:x=\",\n  ]\n}\n";
        let versions = locked_versions(text);
        assert_eq!(
            versions.into_iter().collect::<Vec<_>>(),
            [("registry.example/acme/cloud".to_owned(), Version::new(5, 10, 0))]
        );
        assert!(locked_versions("provider {").is_empty());
    }

    #[test]
    fn r38_of_two_locks_each_provider_is_taken_at_its_higher_version() {
        let block = |name: &str, version: &str| {
            format!(
                "provider \"registry.example/acme/{name}\" {{\n  version = \"{version}\"\n  hashes = [\n    \"h1:{name}{version}=\",\n  ]\n}}\n"
            )
        };
        let now = format!("# made by init\n{}{}", block("cloud", "5.1.0"), block("mail", "1.0.0"));
        assert_eq!(higher_locks(&now, &block("cloud", "5.0.0")), now, "nothing is higher: not a byte changes");
        let then = block("cloud", "5.0.0") + &block("dns", "2.0.0") + &block("mail", "1.2.0");
        let merged = higher_locks(&now, &then);
        assert_eq!(
            merged,
            "# made by init\n".to_owned() + &block("cloud", "5.1.0") + &block("dns", "2.0.0") + &block("mail", "1.2.0")
        );
    }
}
