//! `tieline plugins usage`: who uses which versions, across the whole context (R15).

use semver::VersionReq;

use crate::app::session::Session;
use crate::context::layout::LedgerFile;
use crate::context::ledger::{Snapshot, parse_json};
use crate::context::{Branch, ContextStore};
use crate::domain::address::Place;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::Alias;
use crate::domain::record::AppliedRecord;
use crate::report::usage::{self as shown, Usage, Use};
use crate::request::cli::ContextTarget;

/// Shows who uses the plugins and types of a name, in a range of versions; without one, of all.
pub(super) async fn run(session: &Session, only: Option<&str>, target: &ContextTarget) -> Result<(), Problems> {
    let only = only.map(Only::parse).transpose()?;
    let folder = session.folder(target.working_directory.as_deref());
    let store = session.open_context(&target.context, &folder, &folder).await?.store;
    let mut usage = Usage::default();
    for (place, alias, record) in applied(&*store).await? {
        let is_meant = |name: &str, version| only.as_ref().is_none_or(|only| only.means(name, version));
        if is_meant(record.plugin.as_str(), &record.version) {
            let key = (record.plugin.to_string(), record.version.clone());
            usage.plugins.entry(key).or_default().insert(format!("{place}/{alias}"));
        }
        for (slot, binding) in record.bindings.iter().filter(|(_, one)| is_meant(one.type_name.as_str(), &one.type_version)) {
            let key = (binding.type_name.to_string(), binding.type_version.clone());
            let one = Use { consumer: format!("{place}/{alias}.{slot}"), connection: binding.address.to_string() };
            usage.types.entry(key).or_default().insert(one);
        }
    }
    session.print(&if session.is_json() { shown::json(&usage) } else { shown::text(&usage) });
    Ok(())
}

/// Everything that is applied, anywhere.
async fn applied(store: &dyn ContextStore) -> Result<Vec<(Place, Alias, AppliedRecord)>, Problems> {
    let Some(head) = store.head(Branch::Ledger).await? else { return Ok(Vec::new()) };
    let listed = store.list(&head, &[String::new()]).await?.into_values().flatten().map(|file| file.path);
    let paths: Vec<String> = listed.filter(|path| matches!(LedgerFile::parse(path), Some(LedgerFile::Applied(..)))).collect();
    let mut all = Vec::new();
    for (path, bytes) in Snapshot::new(store, Some(head)).files(&paths).await? {
        if let Some(LedgerFile::Applied(place, alias)) = LedgerFile::parse(&path) {
            all.push((place, alias, parse_json(&path, &bytes)?));
        }
    }
    Ok(all)
}

/// A name, and the versions that are meant.
struct Only {
    name: String,
    range: VersionReq,
}

impl Only {
    fn parse(text: &str) -> Result<Self, Problems> {
        let (name, range) = text.split_once('@').unwrap_or((text, "*"));
        let range = VersionReq::parse(range).map_err(|problem| {
            Diagnostic::error(FailureReason::InvalidInput, format!("`{range}` is not a range of versions: {problem}"))
                .help("write it as `postgres`, `postgres@1` or `postgres@>=1.2, <2`")
        })?;
        Ok(Self { name: name.to_owned(), range })
    }

    fn means(&self, name: &str, version: &semver::Version) -> bool {
        self.name == name && self.range.matches(version)
    }
}
