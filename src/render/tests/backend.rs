use std::path::Path;

use proptest::prelude::*;
use serde_json::json;

use super::{alias, backend, messages, place};
use crate::render::StateRole;
use crate::render::backend::{backend_block, remote_state_config, state_location};

const KINDS: [&str; 10] = ["local", "s3", "gcs", "azurerm", "pg", "http", "kubernetes", "consul", "remote", "cloud"];

fn key(kind: &str, parts: &[String; 4]) -> String {
    let [workspace, environment, deployable, applied] = parts;
    state_location(&backend(kind, json!({})), &place(workspace, environment, deployable), &alias(applied)).key
}

fn parts(workspace: &str, environment: &str, deployable: &str, applied: &str) -> [String; 4] {
    [workspace, environment, deployable, applied].map(str::to_owned)
}

#[test]
fn keys_are_as_they_are_where_they_fit() {
    let short = parts("retail", "staging", "shop", "database");
    assert_eq!(key("s3", &short), "retail/staging/shop/database");
    assert_eq!(key("pg", &short), "retail/staging/shop/database");
    assert_eq!(key("kubernetes", &short), "retail.staging.shop.database");
    assert_eq!(key("cloud", &short), "retail_staging_shop_database");
}

#[test]
fn two_long_aliases_with_one_beginning_do_not_share_a_schema() {
    let start = "a".repeat(62);
    let keys = ["x", "y"].map(|end| key("pg", &parts("retail", "staging", "shop", &format!("{start}{end}"))));
    assert_ne!(keys[0], keys[1]);
    for key in keys {
        assert!(key.len() <= 63, "{key}");
        assert!(key.starts_with("retail-staging-shop-aaa"), "{key}");
    }
}

#[test]
fn a_secret_suffix_never_looks_like_a_part_number_and_is_a_legal_name() {
    for [workspace, applied] in [["retail", "db-1"], ["retail", "db-"], ["retail-", "db"]] {
        let suffix = key("kubernetes", &parts(workspace, "staging", "shop", applied));
        assert!(suffix.split('.').all(|part| !part.ends_with('-') && !part.starts_with('-')), "{suffix}");
        assert!(suffix.rsplit_once('-').is_none_or(|(_, end)| end.parse::<u64>().is_err()), "{suffix}");
    }
}

#[test]
fn the_key_goes_into_each_backends_own_field() {
    let blocks: Vec<String> = [
        ("local", json!({"path": "states"})),
        ("s3", json!({"bucket": "b", "use_lockfile": true})),
        ("gcs", json!({"bucket": "b", "prefix": "tieline/"})),
        ("azurerm", json!({"container_name": "c"})),
        ("pg", json!({})),
        ("http", json!({"address": "https://s.test/v1/?t=1", "lock_address": "https://s.test/lock"})),
        ("kubernetes", json!({"namespace": "n"})),
        ("consul", json!({"path": "tieline"})),
        ("remote", json!({"organization": "o"})),
        ("cloud", json!({"organization": "o", "workspaces": {"project": "p"}})),
    ]
    .into_iter()
    .map(|(kind, config)| {
        let location = state_location(&backend(kind, config), &place("w", "e", "d"), &alias("a"));
        let (field, block) = backend_block(&location, Some(Path::new("/context")), None).unwrap();
        format!("{field} {block}")
    })
    .collect();
    insta::assert_snapshot!(blocks.join("\n"), @r#"
    backend {"local":{"path":"/context/states/w/e/d/a.tfstate"}}
    backend {"s3":{"bucket":"b","key":"w/e/d/a","use_lockfile":true}}
    backend {"gcs":{"bucket":"b","prefix":"tieline/w/e/d/a"}}
    backend {"azurerm":{"container_name":"c","key":"w/e/d/a"}}
    backend {"pg":{"schema_name":"w/e/d/a"}}
    backend {"http":{"address":"https://s.test/v1/w/e/d/a?t=1","lock_address":"https://s.test/lock/w/e/d/a"}}
    backend {"kubernetes":{"namespace":"n","secret_suffix":"w.e.d.a"}}
    backend {"consul":{"path":"tieline/w/e/d/a"}}
    backend {"remote":{"organization":"o","workspaces":{"name":"w_e_d_a"}}}
    cloud {"organization":"o","workspaces":{"name":"w_e_d_a","project":"p"}}
    "#);
}

#[test]
fn a_cloud_state_is_read_through_remote() {
    let cloud = backend("cloud", json!({"hostname": "h.test", "organization": "o", "workspaces": {"project": "p"}}));
    let location = state_location(&cloud, &place("w", "e", "d"), &alias("a"));
    let (kind, config) = remote_state_config(&location, None).unwrap();
    assert_eq!(kind, "remote");
    assert_eq!(config, json!({"hostname": "h.test", "organization": "o", "workspaces": {"name": "w_e_d_a"}}));
}

#[test]
fn settings_that_name_one_state_are_refused() {
    for (kind, config, field) in [
        ("s3", json!({"key": "x"}), "key"),
        ("pg", json!({"schema_name": "x"}), "schema_name"),
        ("cloud", json!({"workspaces": {"tags": ["x"]}}), "workspaces.tags"),
    ] {
        let location = state_location(&backend(kind, config), &place("w", "e", "d"), &alias("a"));
        let problem = backend_block(&location, None, None).unwrap_err();
        assert!(messages(&problem).contains(&format!("`{field}`")), "{problem:?}");
    }
}

#[test]
fn a_relative_local_path_needs_a_folder_to_start_from() {
    let location = state_location(&backend("local", json!({"path": "states"})), &place("w", "e", "d"), &alias("a"));
    let problem = backend_block(&location, None, None).unwrap_err();
    assert!(messages(&problem).contains("relative"), "{problem:?}");
    let absolute = state_location(&backend("local", json!({"path": "/srv/states"})), &place("w", "e", "d"), &alias("a"));
    assert!(backend_block(&absolute, None, None).is_ok());
}

/// Names that collide easily: few letters, many dashes, and long ones with a common beginning.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[ab][ab-]{0,3}", "[a-z][a-z0-9-]{0,62}", "a{60}[ab-]{1,3}"]
}

fn four() -> impl Strategy<Value = [String; 4]> {
    [name(), name(), name(), name()]
}

proptest! {
    #[test]
    fn distinct_applied_plugins_never_share_a_key(one in four(), other in four()) {
        for kind in KINDS {
            let keys = (key(kind, &one), key(kind, &other));
            prop_assert_eq!(keys.0 == keys.1, one == other, "{}: {:?} {:?}", kind, one, other);
        }
    }

    #[test]
    fn the_ways_to_split_one_text_never_share_a_key(text in "[ab]{4,8}", cuts in proptest::collection::vec(1usize..8, 2)) {
        let split = |at: usize| {
            let at = at.min(text.len() - 1);
            parts(&text[..at], &text[at..], "d", "a")
        };
        let (one, other) = (split(cuts[0]), split(cuts[1]));
        for kind in KINDS {
            prop_assert_eq!(key(kind, &one) == key(kind, &other), one == other);
        }
    }

    #[test]
    fn keys_keep_to_their_backends_limits(parts in four()) {
        prop_assert!(key("pg", &parts).len() <= 63);
        prop_assert!(key("kubernetes", &parts).len() <= 47);
        prop_assert!(key("remote", &parts).len() <= 90);
    }
}

#[test]
fn a_state_role_is_for_states_in_s3_that_name_none_of_their_own() {
    let role = StateRole { role: "arn:aws:iam::123456789012:role/states", session: "tieline", token_file: "token" };
    let block = |kind: &str, config: serde_json::Value| {
        let location = state_location(&backend(kind, config), &place("w", "e", "d"), &alias("a"));
        backend_block(&location, None, Some(role)).unwrap().1[kind]["assume_role_with_web_identity"].to_string()
    };
    insta::assert_snapshot!(block("s3", json!({"bucket": "b"})), @r#"{"role_arn":"arn:aws:iam::123456789012:role/states","session_name":"tieline","web_identity_token_file":"token"}"#);
    assert_eq!(block("gcs", json!({"bucket": "b"})), "null");
    assert_eq!(block("s3", json!({"bucket": "b", "assume_role_with_web_identity": "own"})), "\"own\"");
}
