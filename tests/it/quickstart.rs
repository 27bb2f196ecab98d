//! The first deploy, and the next ones.

use crate::harness::{Project, assert_shown, needs_terraform, tasks};

#[test]
fn tf_r24_a_deploy_that_changes_nothing_starts_no_terraform() {
    needs_terraform!();
    let mut project = Project::shop();
    project.count_terraform();
    project.deploy("network").succeeds();
    let first = project.deploy_json("shop", &[]);
    assert_eq!(tasks(&first), "database: succeeded\napi: succeeded\n");
    assert!(!project.terraform_starts().is_empty());

    let second = project.deploy_json("shop", &[]);

    assert_eq!(tasks(&second), "database: skipped (unchanged)\napi: skipped (unchanged)\n");
    assert_eq!(project.terraform_starts(), Vec::<String>::new());
}

#[test]
fn tf_r20_r24_one_changed_input_applies_one_plugin() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    project.count_terraform();
    // Another terraform by path: everything is planned once more.
    project.deploy("shop").succeeds();
    project.terraform_starts();

    project.edit("shop/tieline.yaml", "{name: orders}", "{name: orders, size: large}");
    let report = project.deploy_json("shop", &[]);

    assert_eq!(tasks(&report), "database: succeeded\napi: skipped (unchanged)\n", "the size is not published");
    assert_eq!(project.terraform_starts(), ["init", "plan", "apply"]);
    assert_eq!(project.ledger("retail/staging/shop/connections/database.db.json")["generation"], 1);
}

#[test]
fn tf_r20_dependents_follow_when_the_connection_changes() {
    needs_terraform!();
    let project = Project::deployed_shop();

    project.edit("shop/tieline.yaml", "{name: orders}", "{name: sales}");
    let report = project.deploy_json("shop", &[]);

    assert_eq!(tasks(&report), "database: succeeded\napi: succeeded\n");
    assert_eq!(project.ledger("retail/staging/shop/connections/database.db.json")["generation"], 2);
    assert_eq!(
        project.ledger("retail/staging/shop/connections/api.web.json")["generation"],
        1,
        "what the service publishes is the same"
    );
    let state = std::fs::read_to_string(project.state_path("retail/staging/shop/api")).unwrap();
    assert!(state.contains("@sales.db.internal:5432"), "{state}");
}

#[test]
fn tf_r18_the_password_goes_from_state_to_state_and_nowhere_else() {
    needs_terraform!();
    let project = Project::shop_with_network();

    let ran = project.deploy("shop").succeeds();

    // The SHA-256 of `orders-one`, as the plugin makes it.
    let password = "704ec8ae303e302ca89179fdcb0fb3c0c46f6bcb329ef2e5abcc5a08641bc9df";
    let consumer = std::fs::read_to_string(project.state_path("retail/staging/shop/api")).unwrap();
    assert!(consumer.contains(&format!("postgres://app:{password}@orders.db.internal:5432")));
    ran.never_says(password);
    for path in project.ledger_paths() {
        assert!(!project.ledger_text(&path).contains(password), "{path}");
    }
}

#[test]
fn tf_the_first_deploy_reads_well() {
    needs_terraform!();
    let project = Project::shop_with_network();
    let ran = project.deploy_with("shop", &["--parallelism", "1"]).succeeds();
    assert_shown!(ran.stderr, @r"
    run <id> deploys retail/staging/shop
    [database] planned +2 ~0 -0
    [database] applying
    [database] created terraform_data.server in 0s
    [database] created terraform_data.password in 0s
    [database] done +2 ~0 -0 in <duration>
    [api] planned +1 ~0 -0
    [api] applying
    [api] created terraform_data.service in 0s
    [api] done +1 ~0 -0 in <duration>
    ");
    assert_shown!(ran.stdout, @r#"
    retail/staging/shop succeeded: 2 tasks, 0 unchanged, +3 ~0 -0, <duration>

    Connections
      retail/staging/shop/api.web  web-conn 1.0.0, generation 1
        url = "https://staging.acme.test"
      retail/staging/shop/database.db  postgres-conn 1.1.0, generation 1
        host = "orders.db.internal"
        port = 5432
        password = (sensitive)
    "#);
    assert_shown!(project.deploy("shop").succeeds().to_string(), @r#"
    exit code 0
    --- stdout
    retail/staging/shop succeeded: 2 tasks, 2 unchanged, +0 ~0 -0, <duration>

    Connections
      retail/staging/shop/api.web  web-conn 1.0.0, generation 1
        url = "https://staging.acme.test"
      retail/staging/shop/database.db  postgres-conn 1.1.0, generation 1
        host = "orders.db.internal"
        port = 5432
        password = (sensitive)
    --- stderr
    run <id> deploys retail/staging/shop
    [database] skipped (unchanged) in <duration>
    [api] skipped (unchanged) in <duration>
    "#);
}
