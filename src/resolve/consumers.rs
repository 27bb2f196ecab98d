//! Whether what is about to be published still serves those who are bound to it (R15).

use std::collections::BTreeMap;

use serde_json::Value;

use super::Inputs;
use super::view::{Placed, View};
use crate::domain::address::Target;
use crate::domain::connection::ConsumerEntry;
use crate::domain::connection_type::ConnectionType;
use crate::domain::deployment::{PublishedFace, ResolvedPlugin};
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason::BreaksConsumers;
use crate::domain::names::{Alias, AttributeName};

/// Refuses outputs that a live consumer elsewhere could no longer use. Applied plugins that go altogether are destroy's affair.
pub(super) fn check(inputs: &Inputs<'_>, view: &View<'_>, plugins: &BTreeMap<Alias, ResolvedPlugin>, problems: &mut Problems) {
    let own = format!("{}/", inputs.place);
    for (address, entries) in &inputs.context.consumers {
        let Target::Output { alias, output, .. } = &address.target else { continue };
        let Some(resolved) = plugins.get(alias).filter(|_| address.producer().as_ref() == Some(&inputs.place)) else { continue };
        let faces = resolved.outputs.get(output).map_or(&[][..], Vec::as_slice);
        let broken: Vec<String> = entries
            .iter()
            .filter(|entry| !entry.consumer.starts_with(&own))
            .filter_map(|entry| Some(format!("`{}`: {}", entry.consumer, why_broken(inputs, faces, entry)?)))
            .collect();
        if broken.is_empty() {
            continue;
        }
        let plugin = &resolved.plugin;
        let message = format!("`{} {}` breaks {} of `{address}`", plugin.name, plugin.version, counted(broken.len()));
        let mut problem = Diagnostic::error(BreaksConsumers, message).placed(view.at_source(alias));
        problem.notes = broken;
        problems
            .push(problem.help(
                "publish the old and the new version side by side with `types`, move the consumers, then drop the old one",
            ));
    }
}

fn counted(consumers: usize) -> String {
    if consumers == 1 { "a consumer".to_owned() } else { format!("{consumers} consumers") }
}

/// What a consumer would lose; none when it is still served.
fn why_broken(inputs: &Inputs<'_>, faces: &[PublishedFace], entry: &ConsumerEntry) -> Option<String> {
    let same_major = |face: &&PublishedFace| {
        inputs.types.same(&face.connection_type.name, &entry.type_name)
            && face.connection_type.version.major == entry.type_version.major
    };
    let Some(face) = faces.iter().filter(same_major).max_by_key(|face| &face.connection_type.version) else {
        return Some(format!("`{}` {} is no longer published", entry.type_name, entry.type_version));
    };
    let versions = inputs.types.versions(&entry.type_name);
    let before = versions.iter().find(|one| one.version == entry.type_version);
    entry.attributes.iter().find_map(|attribute| lost(attribute, before.map(|one| &**one), face))
}

fn lost(attribute: &AttributeName, before: Option<&ConnectionType>, face: &PublishedFace) -> Option<String> {
    let now = &face.connection_type;
    if !face.from.contains_key(attribute) {
        return Some(format!("it uses `{attribute}`, which is no longer published"));
    }
    let before = before?;
    if kind(before, attribute) != kind(now, attribute) {
        return Some(format!("it uses `{attribute}`, whose type changes between {} and {}", before.version, now.version));
    }
    (before.sensitive().contains(attribute) != now.sensitive().contains(attribute))
        .then(|| format!("it uses `{attribute}`, which is sensitive in only one of {} and {}", before.version, now.version))
}

fn kind<'a>(connection_type: &'a ConnectionType, attribute: &AttributeName) -> Option<&'a Value> {
    connection_type.attributes.get("properties")?.get(attribute.as_str())?.get("type")
}
