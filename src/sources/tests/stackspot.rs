//! StackSpot plugins, by the catalog's table.

use super::*;

#[tokio::test]
async fn a_stackspot_plugin_comes_from_where_the_catalog_says_and_the_entry_to_add_is_named() {
    let mut place = Place::new().await;
    place.git("tag v1.2.0").await;
    let written = "stackspot:acme/cloud/postgres@1.2.0";
    let refused = place.refused(LockMode::Add, written).await;
    assert_eq!(refused.reason, FailureReason::PluginUnavailable);
    let shown = refused.help.join("\n");
    assert!(shown.contains("`catalog.yaml`") && shown.contains("    acme/cloud/postgres: \"github:"), "{shown}");

    let source = place.source("//postgres?ref=v{version}");
    let catalog = |key: &str| -> Catalog {
        serde_json::from_value(serde_json::json!({
            "apiVersion": "tieline/v1", "kind": "Catalog", "stackspot": {"plugins": {key: source}}
        }))
        .unwrap()
    };
    place.catalog = Some(catalog("acme/postgres"));
    let first = place.add(written).await;
    assert_eq!(place.lock.plugins[written].source, place.source("//postgres?ref=v1.2.0"));
    // What was locked holds, whatever the table says by now.
    place.catalog = Some(catalog("acme/other"));
    assert_eq!(place.add(written).await, first);
    assert!(place.ask(LockMode::Frozen, &[written]).await.is_ok());
}
