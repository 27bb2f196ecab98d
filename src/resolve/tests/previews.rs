//! What is different in a preview: one more overlay, and what is of others is the base's.

use super::*;

const PART: &str = "preview: {base: staging, url: web.page.url}\n";

fn in_preview(plugins: &str, rest: &str) -> Case {
    let mut case = Case { in_preview: true, ..case(plugins) };
    case.manifest += rest;
    case.add_type("page-conn", "1.0.0", "properties: {url: {type: string}, token: {type: string, x-sensitive: true}}");
    case.add_plugin(
        "web",
        "inputs: {type: object, properties: {size: {type: string, default: plugin}, image: {type: string}}}\nrequires: {database: {type: postgres-conn, optional: true}}\ngenerates: {page: {type: page-conn, from: {url: url, token: token}}}",
    );
    case
}

fn layers(case: &Case, name: &str) -> String {
    let resolved = case.resolved();
    let input = input(&resolved, "web", name);
    let covered = input.covered.iter().map(|(layer, value)| format!(" > {layer} {value}"));
    format!("{} {}{}", input.layer, plain(&input.value), covered.collect::<String>())
}

#[test]
fn r5_the_preview_overlay_is_over_that_of_the_base_and_under_the_run() {
    let rest = "environments: {staging: {plugins: {web: {inputs: {size: overlay}}}}}\npreview: {base: staging, plugins: {web: {inputs: {size: preview}}}}\n";
    let mut case = in_preview("  web: {use: ./web, inputs: {size: manifest}}\n", rest);
    case.environment += "values: {size: environment}\n";
    case.workspace += "values: {size: workspace}\n";
    let below = "preview overlay \"preview\" > environment overlay \"overlay\" > manifest \"manifest\" > environment values \"environment\" > workspace values \"workspace\" > plugin default \"plugin\"";
    assert_eq!(layers(&case, "size"), below);
    case.run_inputs.insert("web.size".parse().unwrap(), json!("run"));
    assert_eq!(layers(&case, "size"), format!("run inputs \"run\" > {below}"));
    case.run_inputs.clear();
    case.in_preview = false;
    assert!(layers(&case, "size").starts_with("environment overlay \"overlay\" > manifest"), "elsewhere it does not hold");
}

#[test]
fn r5_null_takes_away_what_is_below_it() {
    let rest = "environments: {staging: {plugins: {web: {inputs: {image: overlay}}}}}\npreview: {base: staging, plugins: {web: {inputs: {image: null}}}}\n";
    let case = in_preview("  web: {use: ./web, inputs: {image: manifest}}\n", rest);
    assert!(!case.resolved().deployment.plugins["web"].inputs.contains_key("image"));
    let rest = "environments: {staging: {plugins: {web: null}}}\npreview: {base: staging, plugins: {web: {use: ./web, inputs: {image: preview}}}}\n";
    let case = in_preview("  web: {use: ./web, inputs: {image: manifest}}\n", rest);
    assert_eq!(layers(&case, "image"), "preview overlay \"preview\"");
}

#[test]
fn r7_what_is_left_out_takes_its_wiring_along() {
    let plugins = "  web: {use: ./web}\n  db: {use: ./postgres}\n";
    let rest =
        "environments: {staging: {references: {web.database: data/pg.main}}}\npreview: {base: staging, plugins: {web: null}}\n";
    let case = in_preview(plugins, rest);
    let resolved = case.resolved();
    assert_eq!(resolved.deployment.plugins.keys().map(Alias::as_str).collect::<Vec<_>>(), ["db"]);
    assert!(resolved.deployment.manifest.environments["pr-12"].references.is_empty());
}

#[test]
fn r50_what_is_of_others_is_that_of_the_base_and_what_is_its_own_is_the_previews() {
    let plugins = "  web: {use: ./web}\n  near: {use: ./web, connections: {database: db.db}}\n  db: {use: ./postgres}\n";
    let rest = "preview: {base: staging, references: {web.database: data/pg.main}}\n";
    let mut case = in_preview(plugins, rest);
    case.publish_db("retail/staging/data/pg.main");
    let resolved = case.resolved();
    assert_eq!(chosen(&resolved, "web", "database"), "reference retail/staging/data/pg.main");
    assert_eq!(chosen(&resolved, "near", "database"), "link db.db");
    // What is recorded means the same wherever it is read.
    let written = &resolved.deployment.manifest.environments["pr-12"].references[&"web.database".parse().unwrap()];
    assert_eq!(written.to_string(), "staging/data/pg.main");

    let mut case = in_preview("  web: {use: ./web}\n", PART);
    case.environment += "defaults: {postgres-conn: data/pg.main}\n";
    case.publish_db("retail/staging/data/pg.main");
    assert_eq!(chosen(&case.resolved(), "web", "database"), "environment default retail/staging/data/pg.main");
}

#[test]
fn r42_a_preview_counts_as_its_base_but_for_secrets() {
    let address = "platform/staging/data/pg.main";
    let resolve = |sensitive: bool, grant: &str| {
        let mut case = in_preview(
            &format!("  web: {{use: ./asking, connections: {{database: {address}}}}}\n"),
            "preview: {base: staging}\n",
        );
        let slot = if sensitive { "{type: postgres-conn, sensitive: [password]}" } else { "{type: postgres-conn}" };
        case.add_plugin("asking", &format!("requires: {{database: {slot}}}"));
        case.publish_db(address);
        let workspace = format!("{{apiVersion: tieline/v1, kind: Workspace, name: platform, grants: [{grant}]}}");
        case.context.workspaces.insert("platform".parse().unwrap(), yaml(&workspace));
        case.resolve().map(|resolved| !resolved.deployment.withheld().any_error())
    };
    let to = |to: &str, rest: &str| format!("{{connection: staging/data/pg.main, to: [\"{to}\"], {rest}}}");
    let (base, both) = ("retail/staging/shop", "allow: [use, read-sensitive]");
    assert!(resolve(false, &to(base, "allow: [use]")).unwrap());
    assert!(resolve(false, &to("retail/pr-12/shop", "allow: [use]")).is_err(), "no grant is one preview's");
    assert!(!resolve(true, &to(base, both)).unwrap());
    assert!(resolve(true, &to(base, &format!("{both}, previews: true"))).unwrap());
}

#[test]
fn r42_secrets_of_the_own_workspace_need_the_grant_as_well() {
    let mut case = in_preview("  web: {use: ./asking, connections: {database: data/pg.main}}\n", "preview: {base: staging}\n");
    case.add_plugin("asking", "requires: {database: {type: postgres-conn, sensitive: [password]}}");
    case.publish_db("retail/staging/data/pg.main");
    let withheld = case.resolved().deployment.withheld();
    assert!(withheld.0[0].help[0].ends_with("allow: [use, read-sensitive], previews: true}"), "{withheld:?}");
    case.workspace +=
        "grants: [{connection: '*/data/pg.main', to: ['retail/staging/*'], allow: [use, read-sensitive], previews: true}]\n";
    assert!(!case.resolved().deployment.withheld().any_error());
}

#[test]
fn r50_no_source_leads_into_a_preview() {
    for wiring in ["environments: {staging: {references: {web.database: pr-7/data/pg.main}}}\n", ""] {
        let mut case = in_preview("  web: {use: ./web}\n", wiring);
        case.in_preview = false;
        case.environment += "defaults: {postgres-conn: retail/pr-7/data/pg.main}\n";
        case.publish_db("retail/pr-7/data/pg.main");
        assert_says(&case.refused(), &["slot `web.database` cannot take `retail/pr-7/data/pg.main`: it is in a preview"]);
    }
}

#[test]
fn r8_a_preview_part_is_checked_with_the_manifest() {
    let declared = |rest: &str| in_preview("  web: {use: ./web}\n", rest).declared();
    assert_eq!(declared(PART), "");
    assert_says(
        &declared("preview: {base: staging, references: {web.databse: data/pg.main}}\n"),
        &["`web` has no slot `databse`", "at tieline.yaml preview.references.web.databse"],
    );
    assert_says(&declared("preview: {base: staging, url: web.pag.url}\n"), &["no output `pag`", "at tieline.yaml preview.url"]);
    for attribute in ["host", "token"] {
        let part = format!("preview: {{base: staging, url: web.page.{attribute}}}\n");
        assert_says(&declared(&part), &[&format!("publishes no attribute `{attribute}` that can be shown")]);
    }
    assert_says(&declared("preview: {base: staging, url: web.page.url, plugins: {web: null}}\n"), &["previews leave it out"]);
}
