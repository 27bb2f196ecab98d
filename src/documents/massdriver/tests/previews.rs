//! Previews.

use super::*;

#[test]
fn previews_of_both_generations_become_the_preview_part_of_a_manifest() {
    let (older, warnings) = massdriver_preview("preview.json", fixture!("previews/preview.json")).unwrap_err_or_ok();
    insta::assert_snapshot!(older, @r#"
    {
      "base": "staging",
      "plugins": {
        "web": {
          "inputs": {
            "hosts": [
              "preview.example.test"
            ],
            "replicas": 1
          }
        }
      },
      "stand-ins": {
        "cluster.kubernetes-cluster": "staging/shared/cluster.kubernetes-cluster"
      }
    }
    "#);
    insta::assert_snapshot!(warnings, @r#"
    credentials: `credentials` have no effect: a preview runs with the account of its base [where it needs another, base it on an environment that has that account]
    packages.web.version: `version` has no effect: the lock file says which version it is
    packages.web.releaseStrategy: `releaseStrategy` has no effect: the lock file says which version it is
    "#);
    let (newer, warnings) = massdriver_preview("preview.yaml", fixture!("previews/preview.yaml")).unwrap_err_or_ok();
    insta::assert_snapshot!(newer, @r#"
    {
      "base": "staging",
      "plugins": {
        "web": {
          "inputs": {
            "feature_flags": {
              "checkout": true
            },
            "replicas": 1
          }
        }
      },
      "references": {
        "web.orders-database": "staging/shared/orders.database"
      }
    }
    "#);
    insta::assert_snapshot!(warnings, @r#"
    attributes: `attributes` have no effect
    instances.web.version: `version` has no effect: the lock file says which version it is
    "#);
}

trait Either {
    fn unwrap_err_or_ok(self) -> (String, String);
}

impl Either for Result<(crate::domain::manifest::PreviewPart, Problems), Problems> {
    fn unwrap_err_or_ok(self) -> (String, String) {
        match self {
            Ok((part, warnings)) => (serde_json::to_string_pretty(&part).unwrap(), told(&warnings)),
            Err(problems) => (String::new(), told(&problems)),
        }
    }
}

#[test]
fn previews_hold_no_secrets_and_no_variables_of_a_process() {
    let document = r#"
project: shop
baseEnvironment: Staging!
copySecrets: true
copyEnvironmentDefaults: false
environmentDefaults: [{resourceType: cluster, resourceId: shared-prod-k8s.cluster}]
attributes: {a: b}
other: 1
instances:
  web:
    version: ~1.2
    params: {host: "app-pr${PR}.example.test", list: ["$NAME"], price: "5$"}
    secrets: [{name: KEY, value: hunter2}]
    remoteReferences: [{resourceId: 6f9d1f4e-0000-4000-8000-000000000001, field: db}]
  Not_One: {}
"#;
    let problems = massdriver_preview("preview.yaml", document.as_bytes()).unwrap_err();
    insta::assert_snapshot!(told(&problems), @r#"
    baseEnvironment: `Staging!` is not a valid environment name: use 1 to 63 lower-case letters, digits and `-`, starting with a letter
    copySecrets: secrets of the base are not copied: they are kept nowhere [hand the preview's runs their secrets through the action's input `secrets`]
    environmentDefaults: a preview has the defaults of its base, and no others [refer to the connection for each slot: `references: {<alias>.<slot>: <address>}`]
    instances.web.version: a version does not say where the plugin comes from [write the whole source in the manifest: `preview.plugins.<alias>.use: <name>@<range>`]
    instances.web.params.host: `app-pr${PR}.example.test` names a variable of the process, which is not put in here [leave it out here, and hand the value to the run: the action's input `inputs` takes values of its workflow]
    instances.web.params.list[0]: `$NAME` names a variable of the process, which is not put in here [leave it out here, and hand the value to the run: the action's input `inputs` takes values of its workflow]
    instances.web.secrets: secrets do not stand in a document [take them out, give the secret a new value, and hand it to the run through the action's input `secrets`]
    instances.web.remoteReferences[0].resourceId: `6f9d1f4e-0000-4000-8000-000000000001` is known to Massdriver alone [write the connection's address in the manifest's own preview part; one that nobody here publishes is first imported as `imported/<name>`]
    instances.Not_One: `Not_One` is not a valid alias: use 1 to 63 lower-case letters, digits and `-`, starting with a letter
    "#);
    assert!(!told(&problems).contains("hunter2"));
}
