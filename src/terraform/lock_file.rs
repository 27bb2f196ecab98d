//! What a provider lock file (`.terraform.lock.hcl`) says.

use std::collections::BTreeMap;

use hcl_edit::structure::Body;
use semver::Version;

/// The version that each provider is locked at, by its address. What cannot be read is left out.
pub fn locked_versions(text: &str) -> BTreeMap<String, Version> {
    let Ok(body) = text.parse::<Body>() else { return BTreeMap::new() };
    let providers = body.get_blocks("provider").filter_map(|block| {
        let address = block.labels.first()?.as_str().to_owned();
        let version = block.body.get_attribute("version")?.value.as_str()?.parse().ok()?;
        Some((address, version))
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
}
