//! The previews there are, for people and for programs.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};

use super::table::table;
use super::{SCHEMA_VERSION, one_line, to_json};
use crate::domain::duration::in_words;
use crate::domain::names::{EnvironmentName, WorkspaceName};
use crate::domain::preview::Preview;

/// Previews by workspace and name.
type Previews = BTreeMap<(WorkspaceName, EnvironmentName), Preview>;

/// As text: the oldest first.
pub fn text(previews: &Previews, now: DateTime<Utc>) -> String {
    if previews.is_empty() {
        return "there are no previews\n".to_owned();
    }
    let head = ["PREVIEW", "PULL REQUEST", "BASE", "MADE", "TIME LEFT", "DEPLOYABLE", "LINK"].map(str::to_owned).to_vec();
    let rows = by_age(previews).into_iter().flat_map(|((workspace, name), preview)| {
        let whole = [
            format!("{workspace}/{name}"),
            format!("{}#{}", one_line(&preview.repository), preview.id.pull_request),
            preview.base.to_string(),
            preview.made.format("%Y-%m-%d %H:%M UTC").to_string(),
            left(preview, now),
        ];
        let deployables = preview.deployables.iter().enumerate().map(move |(position, (deployable, shown))| {
            let before = if position == 0 { whole.clone() } else { whole.each_ref().map(|_| String::new()) };
            let url = shown.url.as_deref().map(one_line).unwrap_or_default();
            before.into_iter().chain([deployable.to_string(), url]).collect()
        });
        deployables.collect::<Vec<Vec<String>>>()
    });
    table(&std::iter::once(head).chain(rows).collect::<Vec<_>>())
}

/// As JSON, in the same order.
pub fn json(previews: &Previews, now: DateTime<Utc>) -> String {
    let listed = by_age(previews).into_iter().map(|((workspace, name), preview)| {
        let deployables: BTreeMap<_, Value> =
            preview.deployables.iter().map(|(deployable, shown)| (deployable, json!({"url": shown.url}))).collect();
        json!({
            "workspace": workspace, "environment": name, "base": preview.base, "deployables": deployables,
            "pullRequest": preview.id.pull_request, "repository": preview.repository, "repositoryId": preview.id.repository_id,
            "made": preview.made, "deployed": preview.deployed, "expires": preview.expires, "over": preview.is_over(now),
            "closing": preview.closing,
        })
    });
    to_json(&json!({"schemaVersion": SCHEMA_VERSION, "previews": listed.collect::<Vec<_>>()}))
}

fn by_age(previews: &Previews) -> Vec<(&(WorkspaceName, EnvironmentName), &Preview)> {
    let mut sorted: Vec<_> = previews.iter().collect();
    sorted.sort_by_key(|(name, preview)| (preview.made, *name));
    sorted
}

fn left(preview: &Preview, now: DateTime<Utc>) -> String {
    match preview.closing {
        Some(_) => "being removed".to_owned(),
        None if preview.is_over(now) => "none: over".to_owned(),
        None => in_words(preview.left(now)),
    }
}
