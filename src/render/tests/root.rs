use std::collections::BTreeMap;

use serde_json::json;

use super::{Scene, alias, attribute, backend, face, input, messages, module, output, place, slot, state};
use crate::render::{BoundSlot, SensitiveSource, StateRole, names};

fn bound(attributes: &[(&str, serde_json::Value)], sensitive: &[(&str, SensitiveSource)]) -> BoundSlot {
    BoundSlot {
        attributes: attributes.iter().map(|(name, value)| (attribute(name), value.clone())).collect(),
        unasked: [].into(),
        sensitive: sensitive.iter().map(|(name, source)| (attribute(name), source.clone())).collect(),
    }
}

fn in_state_of(producer: &str) -> SensitiveSource {
    SensitiveSource::State {
        location: state(backend("s3", json!({"bucket": "acme-tfstate"})), producer),
        output: output("db"),
        face: 0,
    }
}

/// An applied plugin that uses everything there is.
fn full() -> Scene {
    let mut scene = Scene::new(
        json!({
            "inputs": {"type": "object", "properties": {"size": {}, "admin-password": {"x-sensitive": true}}},
            "requires": {
                "network": {"type": "aws-vpc-conn"},
                "upstream": {"type": "postgres-conn", "sensitive": ["password"]},
                "cache": {"type": "redis-conn", "optional": true}
            },
            "terraform": {
                "required-version": ">= 1.6",
                "variables": {"subnet_ids": {"connection": "network.subnet_ids"}},
                "moved": [{"from": "aws_db_instance.old", "to": "module.db[\"main\"].aws_db_instance.this[0]"}]
            }
        }),
        r#"
        terraform {
          required_providers {
            aws = { source = "hashicorp/aws", version = "~> 5.0" }
          }
        }
        variable "size" {}
        variable "admin_password" {}
        variable "subnet_ids" {}
        variable "upstream" {}
        variable "cache" { default = null }
        variable "tieline" {}
        resource "aws_db_instance" "this" {}
        output "endpoint" { value = 1 }
        output "admin_password" { 
          value     = 1
          sensitive = true
        }
        "#,
    );
    scene.inputs = BTreeMap::from([(input("size"), json!("${small}"))]);
    scene.sensitive_inputs = [input("admin-password")].into();
    scene.slots = BTreeMap::from([
        (slot("network"), bound(&[("subnet_ids", json!(["subnet-1", "subnet-2"]))], &[])),
        (
            slot("upstream"),
            bound(&[("host", json!("db.test"))], &[("password", in_state_of("main")), ("token", in_state_of("main"))]),
        ),
    ]);
    let both = [("host", "endpoint"), ("password", "admin_password")];
    scene.outputs = BTreeMap::from([(output("db"), vec![face(&both), face(&both[..1])])]);
    scene.account =
        Some(serde_json::from_value(json!({"provider": "aws", "id": "123456789012", "region": "sa-east-1"})).unwrap());
    scene
}

#[test]
#[allow(clippy::too_many_lines, reason = "the whole file is shown")]
fn r18_a_full_root_module() {
    let scene = full();
    let root = scene.render().unwrap();
    assert_eq!(root.variables, ["tieline_input_admin-password".to_owned()].into());
    assert_eq!(root.providers, ["aws".to_owned()].into());
    assert_eq!(root, scene.render().unwrap());
    insta::assert_snapshot!(String::from_utf8(root.main).unwrap(), @r#"
    {
      "data": {
        "terraform_remote_state": {
          "tieline_cf0a6a95aaaa": {
            "backend": "s3",
            "config": {
              "bucket": "acme-tfstate",
              "key": "retail/staging/shop/main"
            }
          }
        }
      },
      "module": {
        "plugin": {
          "admin_password": "${var.tieline_input_admin-password}",
          "size": "$${small}",
          "source": "./plugin",
          "subnet_ids": [
            "subnet-1",
            "subnet-2"
          ],
          "tieline": {
            "alias": "database",
            "deployable": "shop",
            "environment": "staging",
            "name_prefix": "staging-shop-a9fdba",
            "preview": false,
            "tags": {
              "tieline_alias": "database",
              "tieline_deployable": "shop",
              "tieline_environment": "staging",
              "tieline_workspace": "retail"
            },
            "workspace": "retail"
          },
          "upstream": {
            "host": "db.test",
            "password": "${sensitive(data.terraform_remote_state.tieline_cf0a6a95aaaa.outputs[\"tieline_db_sensitive\"][\"password\"])}"
          }
        }
      },
      "moved": [
        {
          "from": "module.plugin.aws_db_instance.old",
          "to": "module.plugin.module.db[\"main\"].aws_db_instance.this[0]"
        }
      ],
      "output": {
        "tieline_db_present": {
          "value": {
            "password": "${nonsensitive(sensitive(module.plugin.admin_password) != null)}"
          }
        },
        "tieline_db_public": {
          "value": {
            "host": "${module.plugin.endpoint}"
          }
        },
        "tieline_db_public_1": {
          "value": {
            "host": "${module.plugin.endpoint}"
          }
        },
        "tieline_db_revision": {
          "value": "${terraform_data.tieline_db.id}"
        },
        "tieline_db_sensitive": {
          "sensitive": true,
          "value": {
            "password": "${sensitive(module.plugin.admin_password)}"
          }
        }
      },
      "provider": {
        "aws": {
          "allowed_account_ids": [
            "123456789012"
          ],
          "default_tags": {
            "tags": {
              "tieline_alias": "database",
              "tieline_deployable": "shop",
              "tieline_environment": "staging",
              "tieline_workspace": "retail"
            }
          },
          "region": "sa-east-1"
        }
      },
      "resource": {
        "terraform_data": {
          "tieline_db": {
            "triggers_replace": [
              "${sensitive(module.plugin.admin_password)}"
            ]
          }
        }
      },
      "terraform": {
        "backend": {
          "s3": {
            "bucket": "acme-tfstate",
            "key": "retail/staging/shop/database"
          }
        },
        "required_providers": {
          "aws": {
            "source": "hashicorp/aws"
          }
        },
        "required_version": ">= 1.6"
      },
      "variable": {
        "tieline_input_admin-password": {
          "sensitive": true,
          "type": "any"
        }
      }
    }
    "#);
}

#[test]
fn a_state_role_reads_the_producers_states_too_and_changes_no_name() {
    let mut scene = full();
    let without = scene.main();
    scene.state_role = Some(StateRole { role: "arn:aws:iam::123456789012:role/states", session: "tieline", token_file: "token" });
    let with = scene.main();
    assert_eq!(with["terraform"]["required_version"], ">= 1.6, >= 1.6", "the plugin's own, and what it takes");
    let read = |main: &serde_json::Value| main["data"]["terraform_remote_state"].as_object().unwrap().clone();
    assert!(read(&with).keys().eq(read(&without).keys()), "the names are part of what is approved");
    for state in read(&with).values() {
        assert_eq!(
            state["config"]["assume_role_with_web_identity"],
            with["terraform"]["backend"]["s3"]["assume_role_with_web_identity"]
        );
    }
    assert_eq!(with["module"], without["module"]);
}

#[test]
fn r18_only_the_sensitive_attributes_asked_for_are_handed_over() {
    let mut scene =
        Scene::new(json!({"requires": {"db": {"type": "postgres-conn", "sensitive": ["password"]}}}), "variable \"db\" {}");
    let sources = [("password", in_state_of("main")), ("token", in_state_of("other"))];
    scene.slots = BTreeMap::from([(slot("db"), bound(&[("host", json!("h"))], &sources))]);
    let main = scene.main();
    let states = main["data"]["terraform_remote_state"].as_object().unwrap();
    assert_eq!(states.len(), 1, "the state of `other` is not read");
    let name = states.keys().next().unwrap();
    assert_eq!(
        main["module"]["plugin"]["db"],
        json!({
            "host": "h",
            "password": format!("${{sensitive(data.terraform_remote_state.{name}.outputs[\"tieline_db_sensitive\"][\"password\"])}}")
        })
    );
}

#[test]
fn r18_a_sensitive_attribute_that_is_mapped_must_be_asked_for() {
    let mut scene = Scene::new(
        json!({
            "requires": {"db": {"type": "postgres-conn"}},
            "terraform": {"variables": {"pass": {"connection": "db.password"}}}
        }),
        "variable \"pass\" {}",
    );
    scene.slots = BTreeMap::from([(slot("db"), bound(&[], &[("password", in_state_of("main"))]))]);
    let problems = scene.render().unwrap_err();
    assert_eq!(messages(&problems), "`db.password` is sensitive, and the plugin does not ask for it");
}

#[test]
fn r18_one_state_is_read_once_and_secrets_elsewhere_by_their_own_way() {
    let mut scene = Scene::new(
        json!({"requires": {
            "a": {"type": "postgres-conn", "sensitive": ["password"]},
            "b": {"type": "postgres-conn", "sensitive": ["password"]},
            "c": {"type": "postgres-conn", "sensitive": ["password", "token"]}
        }}),
        "variable \"a\" {}\nvariable \"b\" {}\nvariable \"c\" {}",
    );
    let foreign = SensitiveSource::ForeignState {
        backend: backend("gcs", json!({"bucket": "old", "prefix": "p"})),
        output: "pw".to_owned(),
    };
    let variable = SensitiveSource::Variable("tieline_secret_token".to_owned());
    scene.slots = BTreeMap::from([
        (slot("a"), bound(&[], &[("password", in_state_of("main"))])),
        (slot("b"), bound(&[], &[("password", in_state_of("main"))])),
        (slot("c"), bound(&[], &[("password", foreign), ("token", variable)])),
    ]);
    let root = scene.render().unwrap();
    assert_eq!(root.variables, ["tieline_secret_token".to_owned()].into());
    let main = scene.main();
    assert_eq!(main["data"]["terraform_remote_state"].as_object().unwrap().len(), 2);
    assert_eq!(main["module"]["plugin"]["c"]["token"], "${var.tieline_secret_token}");
    assert!(main["module"]["plugin"]["c"]["password"].as_str().unwrap().ends_with(".outputs[\"pw\"])}"));
    assert_eq!(main["variable"]["tieline_secret_token"], json!({"type": "any", "sensitive": true}));
}

#[test]
fn r18_what_a_mapping_made_is_handed_over_without_being_asked_for() {
    let mut scene = Scene::new(json!({"requires": {"c": {"type": "postgres-conn"}}}), "variable \"c\" {}");
    let of = Box::new(SensitiveSource::Variable("tieline_env_DB".to_owned()));
    let host = SensitiveSource::Part { of, attribute: attribute("data"), inside: vec![attribute("host")] };
    let mut handed = bound(&[], &[("host", host), ("password", in_state_of("main"))]);
    handed.unasked = [attribute("host")].into();
    scene.slots = BTreeMap::from([(slot("c"), handed)]);
    assert_eq!(scene.main()["module"]["plugin"]["c"], json!({"host": "${var.tieline_env_DB[\"host\"]}"}));
}

#[test]
fn r68_a_foreign_output_is_a_name_and_nothing_else() {
    let mut scene =
        Scene::new(json!({"requires": {"c": {"type": "postgres-conn", "sensitive": ["password"]}}}), "variable \"c\" {}");
    let hostile =
        SensitiveSource::ForeignState { backend: backend("gcs", json!({})), output: "a\"])}${file(\"/etc/passwd".to_owned() };
    scene.slots = BTreeMap::from([(slot("c"), bound(&[], &[("password", hostile)]))]);
    assert!(messages(&scene.render().unwrap_err()).contains("is not the name of a Terraform output"));
}

#[test]
fn two_servers_that_need_one_variable_are_refused_by_name() {
    let mut scene =
        Scene::new(json!({"requires": {"up": {"type": "postgres-conn", "sensitive": ["password"]}}}), "variable \"up\" {}");
    scene.state = state(backend("pg", json!({"conn_str": "postgres://one.test/states"})), "database");
    let mut elsewhere = |url: &str| {
        let location = state(backend("pg", json!({"conn_str": url})), "main");
        let source = SensitiveSource::State { location, output: output("db"), face: 0 };
        scene.slots = BTreeMap::from([(slot("up"), bound(&[], &[("password", source)]))]);
        scene.render()
    };
    assert!(elsewhere("postgres://one.test/others?sslmode=disable").is_ok());
    assert_eq!(
        messages(&elsewhere("postgres://two.test/states").unwrap_err()),
        "the state of `database` and the state that slot `up` reads are in backends that need different values of `PGPASSWORD`"
    );
}

#[test]
fn an_output_without_secrets_has_no_revision() {
    let mut scene = Scene::new(json!({}), "output \"endpoint\" { value = 1 }");
    scene.outputs = BTreeMap::from([(output("db"), vec![face(&[("host", "endpoint")])])]);
    let main = scene.main();
    assert!(main.get("resource").is_none());
    assert_eq!(main["output"].as_object().unwrap().keys().collect::<Vec<_>>(), ["tieline_db_public"]);
}

#[test]
fn a_module_keeps_the_provider_settings_it_brings() {
    let account = |provider: &str| Some(serde_json::from_value(json!({"provider": provider, "id": "acme-1"})).unwrap());
    let mut scene = Scene::new(json!({}), "provider \"aws\" {}\nresource \"aws_vpc\" \"a\" {}");
    scene.account = account("aws");
    assert!(scene.main().get("provider").is_none());

    scene.module = module("provider \"aws\" { alias = \"west\" }");
    assert_eq!(scene.main()["provider"]["aws"]["allowed_account_ids"], json!(["acme-1"]));

    scene.module = module("module \"net\" { source = \"./net\" }");
    assert!(scene.main().get("provider").is_none(), "nothing uses it");
    scene.nested = vec![module("data \"aws_vpc\" \"a\" {}")];
    assert!(scene.main().get("provider").is_some());

    scene.account = account("google");
    scene.nested = vec![module("resource \"google_sql_database\" \"a\" { provider = google-beta }")];
    let main = scene.main();
    assert_eq!(main["provider"]["google-beta"]["project"], "acme-1");
    assert_eq!(main["terraform"]["required_providers"]["google-beta"]["source"], "hashicorp/google-beta");

    scene.account = account("azurerm");
    scene.nested = vec![module("resource \"azurerm_x\" \"a\" {}")];
    assert_eq!(scene.main()["provider"]["azurerm"], json!({"features": {}, "subscription_id": "acme-1"}));
}

#[test]
fn r68_a_moved_address_is_names_and_keys_only() {
    let moved = |from: &str| json!({"terraform": {"moved": [{"from": from, "to": "aws_vpc.b"}]}});
    for hostile in
        ["aws_vpc.a[\"${file(\"/etc/passwd\")}\"]", "aws_vpc", "aws_vpc.a, x", "aws_vpc.a[*]", "f(x).a", "aws_vpc.a[var.x]"]
    {
        let problems = Scene::new(moved(hostile), "").render().unwrap_err();
        assert!(messages(&problems).contains("is not the address"), "{hostile}");
    }
    let main = Scene::new(moved(" module.x[\"a/b\"] . aws_vpc.a[0] "), "").main();
    assert_eq!(main["moved"], json!([{"from": "module.plugin.module.x[\"a/b\"].aws_vpc.a[0]", "to": "module.plugin.aws_vpc.b"}]));
}

#[test]
fn name_prefixes_are_short_and_of_one_applied_plugin_only() {
    let long = "x".repeat(63);
    let places =
        [place("w", "pr-12", "shop"), place("w", "pr-13", "shop"), place("v", "pr-12", "shop"), place(&long, &long, &long)];
    let mut seen = std::collections::BTreeSet::new();
    for place in &places {
        for name in ["a", "b"] {
            let prefix = names::name_prefix(place, &alias(name));
            assert!(prefix.len() <= 20, "{prefix}");
            assert!(seen.insert(prefix));
        }
    }
    assert!(names::name_prefix(&places[0], &alias("a")).starts_with("pr-12-shop-"));
}
