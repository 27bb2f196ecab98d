//! The outputs of the action before anything is applied: what will be published, in the shapes that [`super::outputs`] has later, so
//! that a clean-up step has the addresses whatever becomes of the run.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::outputs::compact;
use crate::domain::deployment::Deployment;

/// `connections`: address to type, with neither generation nor attributes yet.
pub fn connections(deployment: &Deployment) -> String {
    let outputs = deployment
        .plugins
        .iter()
        .flat_map(|(alias, plugin)| plugin.outputs.iter().map(move |(output, faces)| (alias, output, faces)));
    let described = outputs.filter_map(|(alias, output, faces)| {
        let face = faces.first()?;
        let sensitive: BTreeMap<_, Value> =
            face.connection_type.sensitive().into_iter().map(|name| (name, json!({"from": "state"}))).collect();
        let described = json!({
            "type": face.connection_type.name, "typeVersion": face.connection_type.version, "generation": null,
            "attributes": {}, "sensitive": sensitive, "status": "planned",
        });
        Some((deployment.place.output(alias, output).to_string(), described))
    });
    compact(&described.collect::<BTreeMap<_, _>>())
}

/// `outputs`: alias to output, with no attributes yet.
pub fn outputs(deployment: &Deployment) -> String {
    let plugins = deployment.plugins.iter().filter(|(_, plugin)| !plugin.outputs.is_empty());
    let named = plugins.map(|(alias, plugin)| {
        let outputs: BTreeMap<_, Value> = plugin.outputs.keys().map(|output| (output, json!({}))).collect();
        (alias, outputs)
    });
    compact(&named.collect::<BTreeMap<_, _>>())
}
