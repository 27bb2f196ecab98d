//! One issue for each deployable in which something changed outside.

use serde_json::{Value, json};

use crate::github::{GitHub, Hosted};
use crate::harness::{Project, needs_terraform};

const WRITE: &[&str] = &["issues=write"];
const PLATFORM: &str = "acme/platform";

/// The shop, deployed, and a workflow of `acme/platform` that looks at it.
fn watched(grants: &[(&str, &[&str])]) -> (GitHub, Hosted, Project) {
    let mut project = Project::deployed_shop();
    let github = GitHub::start();
    let platform = github.repository(PLATFORM);
    project.set("GITHUB_API_URL", &github.url());
    project.set("GITHUB_REPOSITORY", PLATFORM);
    project.set("TIELINE_GITHUB_TOKEN", &github.token(grants));
    (github, platform, project)
}

/// Has one value of the database be another.
fn becomes(project: &mut Project, value: &str) {
    let change = json!({"actions": ["update"], "before": {"size": "small"}, "after": {"size": value}});
    project.has_drifted("database", &[("terraform_data.a", "update", change)]);
}

/// The address of the shop's issue, as the report has it.
fn issue(project: &Project) -> Value {
    project.drift(&["--issue", "-o", "json"]).succeeds().json()["deployables"][0]["issue"].clone()
}

#[test]
fn tf_an_issue_is_opened_kept_changed_closed_and_opened_again() {
    needs_terraform!();
    let (github, platform, mut project) = watched(&[(PLATFORM, WRITE)]);
    assert_eq!(issue(&project), Value::Null);
    assert_eq!(github.writes(), 0, "nothing to say");

    becomes(&mut project, "large @everyone <b> -->");
    assert_eq!(issue(&project), "https://github.com/acme/platform/issues/1");
    let [(true, title, body)] = &platform.issues()[..] else { panic!("{:?}", platform.issues()) };
    assert_eq!(title, "Changed outside of Terraform: retail/staging/shop");
    assert!(body.starts_with("<!-- tieline: drift retail/staging/shop "), "{body}");
    assert!(body.contains("+ ") || body.contains("! update terraform_data.a"), "{body}");
    assert!(body.contains("```"), "what others wrote is in a fence: {body}");
    let first = body.clone();

    let writes = github.writes();
    assert_eq!(issue(&project), "https://github.com/acme/platform/issues/1");
    assert_eq!(github.writes(), writes, "the same again is said once");

    becomes(&mut project, "huge");
    issue(&project);
    let [(true, _, body)] = &platform.issues()[..] else { panic!("{:?}", platform.issues()) };
    assert!(body.contains("huge") && *body != first, "{body}");

    project.has_settled();
    assert_eq!(issue(&project), Value::Null);
    assert!(!platform.issues()[0].0);
    assert_eq!(platform.comments(1), ["All of it is as it was applied again.\n"]);
    let writes = github.writes();
    issue(&project);
    assert_eq!(github.writes(), writes, "it is closed once");

    becomes(&mut project, "huge");
    assert_eq!(issue(&project), "https://github.com/acme/platform/issues/1");
    assert_eq!(platform.issues().len(), 1, "the same issue, opened again");
    assert!(platform.issues()[0].0);
}

#[test]
fn tf_an_issue_that_a_person_closed_stays_so_until_something_else_changes() {
    needs_terraform!();
    let (_github, platform, mut project) = watched(&[(PLATFORM, WRITE)]);
    becomes(&mut project, "large");
    issue(&project);
    platform.close_issue(1);
    issue(&project);
    assert!(!platform.issues()[0].0, "that was seen");
    becomes(&mut project, "huge");
    issue(&project);
    assert!(platform.issues()[0].0);
}

#[test]
fn tf_an_issue_is_the_owners_where_the_token_may_write_there() {
    needs_terraform!();
    let owners = "kind: Workspace\nname: retail\nowners: {shop: {repository: acme/shop, id: 2000000}}\n";
    let of_owner: &[(&str, &[&str])] = &[(PLATFORM, WRITE), ("acme/shop", WRITE)];
    for (grants, is_public, address) in [
        (of_owner, false, "https://github.com/acme/shop/issues/1"),
        (&of_owner[..1], false, "https://github.com/acme/platform/issues/1"),
        (&of_owner[..1], true, "https://github.com/acme/platform/issues/1"),
    ] {
        let (github, platform, mut project) = watched(grants);
        let shop = github.repository("acme/shop");
        if is_public {
            shop.publish();
        }
        project.edit_context("workspaces/retail/workspace.yaml", "kind: Workspace\nname: retail\n", owners);
        becomes(&mut project, "large");
        assert_eq!(issue(&project), address);
        assert_eq!(issue(&project), address, "it is found again");
        project.has_settled();
        issue(&project);
        assert!(platform.issues().into_iter().chain(shop.issues()).all(|(is_open, ..)| !is_open));
    }
}

#[test]
fn tf_an_issue_is_never_in_a_repository_that_only_has_the_owners_name() {
    needs_terraform!();
    let (github, platform, mut project) = watched(&[(PLATFORM, WRITE), ("acme/shop", WRITE)]);
    let another = github.repository("acme/shop");
    let owners = "name: retail\nowners: {shop: {repository: acme/shop, id: 7}}\n";
    project.edit_context("workspaces/retail/workspace.yaml", "name: retail\n", owners);
    becomes(&mut project, "large");
    issue(&project);
    assert_eq!((platform.issues().len(), another.issues().len()), (1, 0));
}

#[test]
fn tf_an_issue_goes_elsewhere_where_the_owner_takes_none() {
    needs_terraform!();
    let (github, platform, mut project) = watched(&[(PLATFORM, WRITE), ("acme/shop", WRITE)]);
    github.repository("acme/shop").disable_issues();
    let owners = "name: retail\nowners: {shop: {repository: acme/shop, id: 2000000}}\n";
    project.edit_context("workspaces/retail/workspace.yaml", "name: retail\n", owners);
    becomes(&mut project, "large");
    issue(&project);
    assert_eq!(platform.issues().len(), 1);
}

#[test]
fn tf_issues_without_the_permission_are_refused_by_its_name_and_what_was_seen_is_shown() {
    needs_terraform!();
    let (_github, platform, mut project) = watched(&[(PLATFORM, &["contents=read", "issues=read"])]);
    becomes(&mut project, "large");
    let refused = project.drift(&["--issue"]).fails(2, "permission-denied");
    refused.says("it lacks `issues: write`").says("  database: 1 changed").says("or leave it out");
    assert!(platform.issues().is_empty());

    project.set("TIELINE_GITHUB_TOKEN", "");
    project.drift(&["--issue"]).refused("invalid-input").says("`issue` needs a token");
}

#[test]
fn tf_an_issue_that_would_not_be_found_again_is_not_left_open() {
    needs_terraform!();
    let (_github, platform, mut project) = watched(&[(PLATFORM, WRITE)]);
    platform.drop_labels();
    becomes(&mut project, "large");
    project.drift(&["--issue"]).fails(2, "permission-denied").says("may not give them the label `tieline-drift`");
    assert!(platform.issues().iter().all(|(is_open, ..)| !is_open));
}

#[test]
fn tf_an_issue_that_a_stranger_opened_is_not_ours() {
    needs_terraform!();
    let (_github, platform, project) = watched(&[(PLATFORM, WRITE)]);
    let marker = "<!-- tieline: drift retail/staging/shop x -->\n";
    platform.open_issue(("mallory", "NONE"), marker, "tieline-drift");
    issue(&project);
    assert!(platform.issues()[0].0);
    platform.open_issue(("ana", "MEMBER"), marker, "tieline-drift");
    issue(&project);
    assert!(platform.issues()[0].0 && !platform.issues()[1].0, "only one of ours is closed");
}

#[test]
fn tf_an_issue_is_closed_when_its_deployable_is_gone_and_kept_when_nothing_was_seen() {
    needs_terraform!();
    let (_github, platform, mut project) = watched(&[(PLATFORM, WRITE)]);
    becomes(&mut project, "large");
    issue(&project);
    project.wrap_terraform("case \"$1\" in plan) exit 1;; esac\n");
    project.drift(&["--issue"]).fails(2, "plan-failed");
    assert!(platform.issues()[0].0, "what is not seen may still be so");

    project.has_settled();
    project.destroy("retail/staging/shop").succeeds();
    project.drift(&["--issue"]).succeeds();
    assert!(!platform.issues()[0].0);
    assert_eq!(platform.comments(1), ["Nothing of it is deployed any more.\n"]);
}
