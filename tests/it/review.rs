//! The check of a pull request to the documents: whom it would repoint, allow or break.

use crate::github::{GitHub, Hosted};
use crate::harness::{Project, Ran, assert_shown, needs_terraform};

const PLATFORM: &str = "context/workspaces/platform/workspace.yaml";
const STAGING: &str = "context/workspaces/platform/environments/staging.yaml";
const RETAIL: &str = "context/workspaces/retail/environments/staging.yaml";

fn review(project: &Project) -> Ran {
    let before = project.context_refs();
    let ran = project.run(&["context", "review", "--from", "context"]);
    assert_eq!(before, project.context_refs(), "a review changes nothing");
    ran
}

fn refused(project: &Project, reason: &str) -> Ran {
    let ran = review(project);
    assert_eq!(ran.code, if reason == "state-missing" { 2 } else { 1 }, "{ran}");
    ran.says(&format!("error[{reason}]"))
}

#[test]
fn what_does_not_change_anything_passes() {
    let project = Project::shop();
    assert_shown!(review(&project).succeeds().stdout, @"no document changes");
    project.write("context/README.md", "# For people\n");
    project.write("context/.github/workflows/review.yml", "on: push\n");
    review(&project).succeeds().says("no document changes");
}

#[test]
fn every_wrong_document_is_reported_at_once_with_its_line() {
    let project = Project::shop();
    project.edit(RETAIL, "values:", "valeus:");
    project.edit(PLATFORM, "allow: [use]", "allow: [read-sensitive]");
    project.write("context/workspaces/retail/environment/production.yaml", "kind: Environment\n");
    project.edit("context/types/web-conn/1.0.0.yaml", "name: web-conn", "name: web");
    assert_shown!(refused(&project, "invalid-document").stderr, @r#"
    error[invalid-document]: its name is `web`, and its path says `web-conn`
     --> context/types/web-conn/1.0.0.yaml:3:7
      |
    3 | name: web
      |       ^^^
      |
      = help: correct one of the two

    error[invalid-document]: `read-sensitive` does nothing without `use`
     --> context/workspaces/platform/workspace.yaml:5:66
      |
    5 |   - {connection: "*/network/vpc.vpc", to: ["retail/*/*"], allow: [read-sensitive]}
      |                                                                  ^^^^^^^^^^^^^^^^
      |
      = help: write `[use, read-sensitive]`

    error[invalid-document]: no document is looked for at this path
    --> context/workspaces/retail/environment/production.yaml
     = help: documents are `types/<name>/<version>.yaml`, `workspaces/<workspace>/workspace.yaml`, `workspaces/<workspace>/environments/<environment>.yaml` and `workspaces/<workspace>/imported/<environment>/<name>.yaml`

    error[invalid-document]: unknown field `valeus`
     --> context/workspaces/retail/environments/staging.yaml:5:1
      |
    5 | valeus: {domain: staging.acme.test}
      | ^^^^^^ unknown field
      |
      = note: known fields: `account`, `allow-destroy`, `apiVersion`, `backend`, `defaults`, `kind`, `name`, `overrides`, `protected`, `sealing`, `values`
      = help: did you mean `values`?
    "#);
}

#[test]
fn documents_that_do_not_fit_together_are_refused() {
    let project = Project::shop();
    project.write("context/workspaces/lab/environments/staging.yaml", &project.read(STAGING));
    project.write(
        "context/workspaces/retail/imported/staging/legacy.yaml",
        "apiVersion: tieline/v1\nkind: ImportedConnection\nname: legacy\ntype: postgres-conn\nversion: 1.1.0\nattributes: {host: h}\n",
    );
    refused(&project, "invalid-document").says("the workspace `lab` has environments, but no document of its own").says(
        "`retail/staging/imported/legacy` does not fit `postgres-conn` 1.1.0: it is not what its type says: `port` is missing",
    );
}

#[test]
fn a_published_version_of_a_type_never_changes() {
    let project = Project::shop();
    project.edit("context/types/web-conn/1.0.0.yaml", "url: {type: string}", "url: {type: string, minLength: 1}");
    refused(&project, "breaks-consumers").says("`web-conn` 1.0.0 is published, and a published version never changes");
}

#[test]
fn what_it_allows_is_told() {
    let project = Project::shop();
    project.edit(PLATFORM, "grants:\n", "owners: {network: {repository: acme/network, id: 7}}\ngrants:\n  - {connection: '*/bus/*', to: ['lab/*/*'], allow: [use, read-sensitive], previews: true}\n");
    project.write(
        "context/context.yaml",
        "apiVersion: tieline/v1\nkind: Context\nceilings: {local-exec: true, modules: ['./']}\nretention: {runs: 10}\n",
    );
    project.edit(STAGING, "backend:", "allow-destroy: true\nbackend:");
    project.write("context/policies/names.rego", "package names\n");
    assert_shown!(review(&project).succeeds().stdout, @"
    4 documents change: 1 breaking, 4 allowing
    breaks: `modules` are restricted to `./`
      at context/context.yaml:3
    allows: workflows may let plugins run programs on the runner
      at context/context.yaml:3
    allows: workflows of `acme/network` (id 7) may write `platform/network`, and others no longer
      at context/workspaces/platform/workspace.yaml:4
    allows: `lab/*/*` may `use` and `read-sensitive` `*/bus/*`, previews too
      at context/workspaces/platform/workspace.yaml:6
    allows: any deploy to `platform/staging` may delete and replace things
      at context/workspaces/platform/environments/staging.yaml:4
    changes: `retention` is another one for the whole organization
      at context/context.yaml:4
    changes: the policy `policies/names.rego` is new: what it forbids is refused from now on
      at context/policies/names.rego:1
    ");
}

#[test]
fn tf_a_default_that_changes_repoints_its_consumers_and_one_that_goes_breaks_them() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit(RETAIL, "network/vpc.vpc", "other/vpc.vpc");
    assert_shown!(review(&project).succeeds().stdout, @"
    1 document changes: 1 repointing
    repoints: 1 slot in `retail/staging` would take `platform/staging/other/vpc.vpc` instead of `platform/staging/network/vpc.vpc`
      at context/workspaces/retail/environments/staging.yaml:7
      - `retail/staging/shop/database.network`
    ");
    project.edit(
        RETAIL,
        "  network-conn: platform/staging/other/vpc.vpc\n",
        "  network-conn:network: platform/staging/network/vpc.vpc\n",
    );
    review(&project).succeeds().says("1 document changes, and nobody is affected");
    project.edit(RETAIL, "defaults:\n  network-conn:network: platform/staging/network/vpc.vpc\n", "");
    review(&project)
        .succeeds()
        .says("breaks: 1 slot in `retail/staging` would have nothing to take instead of `platform/staging/network/vpc.vpc`");
    project.write(RETAIL, &(project.read(RETAIL) + "defaults: {network-conn: imported/nowhere}\n"));
    refused(&project, "unresolved-slot").says("there is no such imported connection");
}

#[test]
fn tf_a_slot_that_its_manifest_wires_is_not_moved_by_a_default() {
    needs_terraform!();
    let project = Project::shop_with_network();
    project.edit(
        "shop/tieline.yaml",
        "plugins:\n",
        "environments: {staging: {references: {database.network: platform/staging/network/vpc.vpc}}}\nplugins:\n",
    );
    project.deploy("shop").succeeds();
    project.edit(RETAIL, "network/vpc.vpc", "other/vpc.vpc");
    review(&project).succeeds().says("nothing that is deployed takes another one for it");
}

#[test]
fn tf_r44_a_grant_that_goes_names_every_live_binding_that_no_other_covers() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit(PLATFORM, "to: [\"retail/*/*\"]", "to: [\"retail/production/*\"]");
    assert_shown!(review(&project).succeeds().stdout, @"
    1 document changes: 1 breaking, 1 allowing
    breaks: 1 live binding loses the only grant
      at context/workspaces/platform/workspace.yaml:4
      - `retail/staging/shop/database.network` is bound to `platform/staging/network/vpc.vpc` and would have no grant to `use`
    allows: `retail/production/*` may `use` `*/network/vpc.vpc`
      at context/workspaces/platform/workspace.yaml:5
    changes: this grant goes: `retail/*/*` may `use` `*/network/vpc.vpc`
      at context/workspaces/platform/workspace.yaml:4
    ");
    project.edit(PLATFORM, "to: [\"retail/production/*\"]", "to: [\"*/staging/*\"]");
    let ran = review(&project).succeeds();
    assert!(!ran.stdout.contains("breaks"), "{ran}");
}

#[test]
fn tf_what_is_deployed_is_not_left_without_its_documents() {
    needs_terraform!();
    let project = Project::deployed_shop();
    project.edit(STAGING, "path: states", "path: elsewhere");
    refused(&project, "state-missing").says("`platform/staging/network/vpc`");
    std::fs::remove_file(project.path(STAGING)).unwrap();
    refused(&project, "consumers-exist").says("the environment `platform/staging` goes while 1 plugin is applied in it");
    std::fs::remove_dir_all(project.path("context/workspaces/platform")).unwrap();
    refused(&project, "consumers-exist")
        .says("the workspace `platform` goes while 1 plugin is applied in it")
        .says("1 live binding loses the only grant");
}

#[test]
fn tf_r15_a_type_does_not_go_while_it_is_used() {
    needs_terraform!();
    let project = Project::deployed_shop();
    std::fs::remove_file(project.path("context/types/network-conn/1.0.0.yaml")).unwrap();
    refused(&project, "breaks-consumers")
        .says("`platform/staging/network/vpc.vpc` is published as it")
        .says("`retail/staging/shop/database.network` takes `platform/staging/network/vpc.vpc` as it");
}

#[test]
fn tf_r48_an_imported_connection_does_not_go_or_lose_what_is_taken_of_it() {
    needs_terraform!();
    let project = Project::lab();
    let mine = "context/workspaces/lab/imported/staging/mine.yaml";
    project.write(mine, "apiVersion: tieline/v1\nkind: ImportedConnection\nname: mine\ntype: thing-conn\nversion: 1.0.0\nattributes: {name: mine}\n");
    project.init_context();
    project.app("app", "  a: {use: ../plugins/thing, connections: {upstream: lab/staging/imported/mine}}\n");
    project.deploy("app").succeeds();
    project.edit(mine, "name: mine}", "name: yours}");
    review(&project)
        .succeeds()
        .says("repoints: `lab/staging/imported/mine` says something else; 1 slot takes it at the next deploy");
    std::fs::remove_file(project.path(mine)).unwrap();
    refused(&project, "consumers-exist").says("`lab/staging/app/a.upstream`");
}

#[test]
fn a_review_for_programs_says_the_same() {
    let project = Project::shop();
    project.edit(STAGING, "backend:", "protected: true\nbackend:");
    let found = project.run(&["context", "review", "--from", "context", "-o", "json"]).succeeds().json();
    assert_eq!(found["documents"], 1);
    assert_eq!(found["findings"][0]["message"], "`platform/staging` is protected from now on");
    assert_eq!((&found["findings"][0]["file"], &found["findings"][0]["line"]), (&STAGING.into(), &4.into()));
}

#[test]
fn the_example_of_a_context_repository_is_sound_and_reviews_itself() {
    let project = Project::empty();
    let example = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/context-repository");
    project.run(&["context", "init", "--from", example]).succeeds().says("added workspaces/platform/workspace.yaml");
    project.run(&["context", "review", "--from", example]).succeeds().says("no document changes");
    project.git(".", &["clone", "--quiet", ".tieline/context.git", "checkout"]);
    project.edit("checkout/workspaces/retail/environments/production.yaml", "protected: true\n", "");
    let ran = project.run(&["context", "review", "-C", "checkout", "--context", "../.tieline/context.git"]).succeeds();
    ran.says("allows: `retail/production` is no longer protected")
        .says("at checkout/workspaces/retail/environments/production.yaml:1");
}

/// The shop's documents in a repository on a GitHub server, with what is recorded of its runs.
fn hosted(project: &mut Project) -> (GitHub, Hosted) {
    let github = GitHub::start();
    let context = github.repository("acme/context");
    for branch in ["main", "ledger"] {
        let paths = project.git(".tieline/context.git", &["ls-tree", "-r", "--name-only", branch]);
        let text = |path: &str| project.git(".tieline/context.git", &["show", &format!("{branch}:{path}")]);
        let files: Vec<(&str, String)> = paths.lines().map(|path| (path, text(path))).collect();
        context.commit(branch, &files.iter().map(|(path, text)| (*path, text.as_str())).collect::<Vec<_>>());
    }
    project.set("GITHUB_API_URL", &github.url());
    project.set("TIELINE_CONTEXT", "github:acme/context");
    project.set("TIELINE_CONTEXT_TOKEN", &github.token(&[("acme/context", &["contents=read"])]));
    (github, context)
}

#[test]
fn tf_a_review_on_github_reads_what_differs_and_what_that_concerns_and_writes_nothing() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    let (github, _context) = hosted(&mut project);
    project.edit(RETAIL, "network/vpc.vpc", "other/vpc.vpc");
    let ran = project.run(&["context", "review", "--from", "context"]).succeeds();
    ran.says("repoints: 1 slot in `retail/staging` would take `platform/staging/other/vpc.vpc`");
    assert_eq!(github.writes(), 0);
    let read = github.requests().iter().filter(|seen| seen.target.contains("/git/blobs/")).count();
    // The context's own document, the one that differs, the consumer's record and its release, and the producer's connection.
    assert_eq!(read, 5);
}

#[test]
fn tf_in_a_workflow_a_review_is_on_the_lines_of_the_change_and_in_the_summary() {
    needs_terraform!();
    let mut project = Project::deployed_shop();
    project.edit(RETAIL, "network/vpc.vpc", "other/vpc.vpc");
    project.edit("context/types/web-conn/1.0.0.yaml", "url: {type: string}", "url: {type: integer}");
    project.write("summary.md", "");
    let summary = project.path("summary.md").display().to_string();
    for (name, value) in [
        ("GITHUB_ACTIONS", "true"),
        ("GITHUB_STEP_SUMMARY", summary.as_str()),
        ("INPUT_COMMAND", "context review"),
        ("INPUT_FROM", "context"),
        ("INPUT_CONTEXT", ".tieline/context.git"),
    ] {
        project.set(name, value);
    }
    let ran = project.run(&[]);
    assert_eq!(ran.code, 1, "{ran}");
    let annotations: Vec<&str> = ran.stdout.lines().filter(|line| line.starts_with("::")).collect();
    assert_shown!(annotations.join("\n"), @"
    ::warning file=context/workspaces/retail/environments/staging.yaml,title=binding-changed,line=7,col=17,endColumn=47::1 slot in `retail/staging` would take `platform/staging/other/vpc.vpc` instead of `platform/staging/network/vpc.vpc`%0Anote: `retail/staging/shop/database.network`%0Ahelp: each at its next deploy, where it is a planned change; name the connection in a manifest to keep it
    ::error file=context/types/web-conn/1.0.0.yaml,title=breaks-consumers::`web-conn` 1.0.0 is published, and a published version never changes%0Ahelp: leave it as it is, and add the change as a new version beside it
    ");
    assert_shown!(project.read("summary.md"), @"
    ### ❌ 2 documents change: 1 refused, 1 repointing

    #### Must not be merged

    `web-conn` 1.0.0 is published, and a published version never changes — `context/types/web-conn/1.0.0.yaml:1`

    leave it as it is, and add the change as a new version beside it

    #### Repoints

    1 slot in `retail/staging` would take `platform/staging/other/vpc.vpc` instead of `platform/staging/network/vpc.vpc` — `context/workspaces/retail/environments/staging.yaml:7`

    - `retail/staging/shop/database.network`

    each at its next deploy, where it is a planned change; name the connection in a manifest to keep it
    ");
}
