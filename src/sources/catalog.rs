//! The catalog: from a plugin's name and a range of versions to a source.

use semver::{Version, VersionReq};

use crate::domain::catalog::{Catalog, CatalogPlugin, CatalogVersion};
use crate::domain::diagnostic::Diagnostic;
use crate::domain::failure::FailureReason::PluginUnavailable;
use crate::domain::names::PluginName;

/// A version of the catalog, chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The version.
    pub version: Version,
    /// Its source, as it would stand after `use:`.
    pub source: String,
}

/// Chooses the highest version in `range` that is not yanked.
///
/// # Errors
/// When the catalog has no such plugin, no such version, or no source for it. The diagnostic has no place yet.
pub fn choose(catalog: &Catalog, name: &PluginName, range: &VersionReq) -> Result<Choice, Box<Diagnostic>> {
    let Some(plugin) = catalog.plugins.get(name) else {
        return Err(unknown(catalog, name).into());
    };
    let mut versions: Vec<(Version, &String, &CatalogVersion)> = plugin
        .versions
        .iter()
        .filter_map(|(written, entry)| Some((Version::parse(written).ok()?, written, entry)))
        .filter(|(version, ..)| range.matches(version))
        .collect();
    versions.sort_by(|(a, ..), (b, ..)| b.cmp(a));
    let Some((version, written, entry)) = versions.into_iter().find(|(.., entry)| entry.yanked.is_none()) else {
        return Err(none_in_range(plugin, name, range).into());
    };
    let Some(source) = entry.source.as_ref().or(plugin.source.as_ref()) else {
        let message = format!("the catalog gives no source for `{name}` {version}");
        return Err(Diagnostic::error(PluginUnavailable, message).help("add `source:` to the plugin in `catalog.yaml`").into());
    };
    Ok(Choice { source: source.replace("{version}", written), version })
}

/// The source of a StackSpot plugin, as the catalog's table has it: with the stack, or whatever the stack.
///
/// # Errors
/// When the table has neither. The diagnostic has no place yet.
pub(super) fn stackspot(
    catalog: Option<&Catalog>,
    (studio, stack, plugin): (&str, Option<&str>, &str),
    version: &str,
) -> Result<String, Box<Diagnostic>> {
    let short = format!("{studio}/{plugin}");
    let key = stack.map_or_else(|| short.clone(), |stack| format!("{studio}/{stack}/{plugin}"));
    let table = catalog.map(|catalog| &catalog.stackspot.plugins);
    if let Some(source) = table.and_then(|table| table.get(&key).or_else(|| table.get(&short))) {
        return Ok(source.replace("{version}", version));
    }
    let entry = format!("stackspot:\n  plugins:\n    {key}: \"github:<owner>/<repository>//<folder of {plugin}>@{{version}}\"");
    Err(Diagnostic::error(PluginUnavailable, format!("nothing says where the StackSpot plugin `{key}` comes from"))
        .help(format!("add it to the context's `catalog.yaml`:\n{entry}"))
        .into())
}

/// What is to be said of a version that is in use: that it is deprecated, or was yanked after it was locked.
pub(super) fn warning(catalog: &Catalog, name: &PluginName, version: &Version) -> Option<Diagnostic> {
    let entry = catalog.plugins.get(name)?.versions.get(&version.to_string())?;
    let (what, why) = match (&entry.yanked, &entry.deprecated) {
        (Some(why), _) => ("was yanked", why),
        (None, Some(why)) => ("is deprecated", why),
        (None, None) => return None,
    };
    let message = format!("`{name}` {version} {what}: {why}");
    Some(Diagnostic::warning(PluginUnavailable, message).help("move to another version with `tieline plugins update`"))
}

/// Whether a source is one of the permitted ones: equal to a prefix, or going on after it at a border between names.
pub fn is_allowed(catalog: &Catalog, source: &str) -> bool {
    let Some(prefixes) = &catalog.allowed_sources else {
        return true;
    };
    prefixes.iter().any(|prefix| {
        source.strip_prefix(prefix.as_str()).is_some_and(|rest| {
            let border = |c: char| "/?@:".contains(c);
            rest.is_empty() || prefix.ends_with(border) || rest.starts_with(['/', '?', '@'])
        })
    })
}

fn unknown(catalog: &Catalog, name: &PluginName) -> Diagnostic {
    let names = catalog.plugins.keys().map(PluginName::as_str);
    let diagnostic = Diagnostic::error(PluginUnavailable, format!("the catalog has no plugin `{name}`"));
    match nearest(name.as_str(), names, 1).first() {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic.help("add it to `catalog.yaml`, or name its source directly"),
    }
}

fn none_in_range(plugin: &CatalogPlugin, name: &PluginName, range: &VersionReq) -> Diagnostic {
    let mut listed: Vec<(Option<Version>, String)> = plugin
        .versions
        .iter()
        .map(|(version, entry)| {
            let yanked = entry.yanked.as_ref().map(|why| format!(" (yanked: {why})")).unwrap_or_default();
            (Version::parse(version).ok(), format!("`{version}`{yanked}"))
        })
        .collect();
    listed.sort();
    let listed: Vec<String> = listed.into_iter().rev().map(|(_, text)| text).collect();
    let message = format!("the catalog has no version of `{name}` in `{range}`");
    let diagnostic = Diagnostic::error(PluginUnavailable, message);
    if listed.is_empty() {
        diagnostic.note("it has none at all")
    } else {
        diagnostic.note(format!("it has {}", listed.join(", ")))
    }
}

/// The names most like `name`, the nearest first; none that are nothing like it.
pub(super) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>, most: usize) -> Vec<&'a str> {
    let mut scored: Vec<(f64, &str)> = candidates
        .map(|candidate| (strsim::jaro_winkler(name, candidate), candidate))
        .filter(|(score, _)| *score > 0.7)
        .collect();
    scored.sort_by(|(a, left), (b, right)| b.total_cmp(a).then(right.cmp(left)));
    scored.into_iter().take(most).map(|(_, candidate)| candidate).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        serde_yaml::from_str(
            r#"
apiVersion: tieline/v1
kind: Catalog
allowed-sources: ["github:acme/", "git::https://git.test/acme", "git::ssh://git@git.test"]
plugins:
  postgres:
    source: github:acme/plugins//postgres@v{version}
    versions:
      "1.2.0": {}
      "1.10.0": {deprecated: use 2}
      "1.11.0": {yanked: loses data}
      "2.0.0": {source: "git::https://git.test/acme/postgres?ref={version}"}
  empty: {versions: {"1.0.0": {}}}
"#,
        )
        .unwrap()
    }

    fn chosen(name: &str, range: &str) -> Result<Choice, Box<Diagnostic>> {
        choose(&catalog(), &name.parse().unwrap(), &range.parse().unwrap())
    }

    #[test]
    fn the_highest_version_that_is_not_yanked_is_chosen() {
        assert_eq!(chosen("postgres", "^1.2").unwrap().source, "github:acme/plugins//postgres@v1.10.0");
        assert_eq!(chosen("postgres", "*").unwrap().source, "git::https://git.test/acme/postgres?ref=2.0.0");
    }

    #[test]
    fn an_unknown_name_gives_the_nearest() {
        let problem = chosen("postgers", "*").unwrap_err();
        assert_eq!(problem.message, "the catalog has no plugin `postgers`");
        assert_eq!(problem.help, ["did you mean `postgres`?"]);
    }

    #[test]
    fn no_version_in_range_lists_what_exists() {
        let problem = chosen("postgres", "=1.11.0").unwrap_err();
        assert_eq!(problem.message, "the catalog has no version of `postgres` in `=1.11.0`");
        assert_eq!(problem.notes, ["it has `2.0.0`, `1.11.0` (yanked: loses data), `1.10.0`, `1.2.0`"]);
    }

    #[test]
    fn a_version_without_a_source_says_where_to_add_it() {
        assert_eq!(chosen("empty", "*").unwrap_err().message, "the catalog gives no source for `empty` 1.0.0");
    }

    #[test]
    fn deprecated_and_yanked_versions_are_warned_of() {
        let said = |version: &str| {
            warning(&catalog(), &"postgres".parse().unwrap(), &version.parse().unwrap()).map(|warning| warning.message)
        };
        assert_eq!(said("1.10.0").unwrap(), "`postgres` 1.10.0 is deprecated: use 2");
        assert_eq!(said("1.11.0").unwrap(), "`postgres` 1.11.0 was yanked: loses data");
        assert_eq!(said("1.2.0"), None);
    }

    #[test]
    fn an_allowed_prefix_ends_at_a_border() {
        for (source, allowed) in [
            ("github:acme/plugins@1", true),
            ("github:acmeevil/plugins@1", false),
            ("git::https://git.test/acme//x?ref=1", true),
            ("git::https://git.test/acme-evil//x", false),
            ("git::ssh://git@git.test/x", true),
            ("git::ssh://git@git.test.evil/x", false),
        ] {
            assert_eq!(is_allowed(&catalog(), source), allowed, "{source}");
        }
    }
}
