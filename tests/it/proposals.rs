//! Changes of the documents by commands: who may use a connection, what is imported, who owns a deployable.

use crate::github::{GitHub, Hosted};
use crate::harness::{Project, Ran, assert_shown, needs_terraform};

const PLATFORM: &str = "workspaces/platform/workspace.yaml";
const VPC: &str = "platform/*/network/vpc.vpc";
const BOTH: &[&str] = &["contents=write", "pull_requests=write"];

/// A document of the context.
fn document(project: &Project, path: &str) -> String {
    project.git(".tieline/context.git", &["show", &format!("main:{path}")])
}

/// The same project, with its documents in a repository on a GitHub server.
fn hosted(permissions: &[&str]) -> (GitHub, Hosted, Project) {
    let mut project = Project::shop();
    let github = GitHub::start();
    let context = github.repository("acme/context");
    let files = ["context.yaml", PLATFORM, "workspaces/retail/workspace.yaml", "types/postgres-conn/1.1.0.yaml"];
    let texts: Vec<(&str, String)> = files.iter().map(|path| (*path, project.read(&format!("context/{path}")))).collect();
    context.commit("main", &texts.iter().map(|(path, text)| (*path, text.as_str())).collect::<Vec<_>>());
    project.set("GITHUB_API_URL", &github.url());
    project.set("TIELINE_CONTEXT", "github:acme/context");
    project.set("TIELINE_CONTEXT_TOKEN", &github.token(&[("acme/context", permissions)]));
    (github, context, project)
}

fn grant(project: &Project) -> Ran {
    project.run(&["connection", "grant", VPC, "--to", "lab/*/*,lab/staging/app", "--allow", "use"])
}

#[test]
fn r43_a_grant_is_committed_where_there_is_no_pull_request_to_open() {
    let project = Project::shop();
    project.edit_context(PLATFORM, "grants:\n", "grants: # ask us first\n");
    let granted = grant(&project).succeeds();
    assert_shown!(granted.stdout, @"
    committed to the branch `main` of `<folder>/project/.tieline/context.git`: grant `use` on `platform/*/network/vpc.vpc` to `lab/*/*`, `lab/staging/app`
    <commit>
    ");
    assert_eq!(
        document(&project, PLATFORM),
        "apiVersion: tieline/v1\nkind: Workspace\nname: platform\ngrants: # ask us first\n  - {connection: \"*/network/vpc.vpc\", to: [\"retail/*/*\"], allow: [use]}\n  - {connection: \"*/network/vpc.vpc\", to: [\"lab/*/*\", \"lab/staging/app\"], allow: [use]}\n"
    );
    let refs = project.context_refs();
    grant(&project).succeeds().says("nothing to do");
    assert_eq!(refs, project.context_refs());
}

#[test]
fn r43_a_grant_of_nothing_to_nobody_or_of_no_workspace_is_refused() {
    let project = Project::shop();
    let refused = |arguments: &[&str], what: &str| {
        let ran = project.run(&[&["connection", "grant"], arguments].concat());
        assert_eq!(ran.code, 1, "{ran}");
        ran.says(what);
    };
    refused(&[VPC, "--to", "lab/*/*"], "give both `--to` and `--allow`");
    refused(&["*/staging/network/vpc.vpc", "--to", "a/b/c", "--allow", "use"], "`*`");
    refused(&["nowhere/staging/network/vpc.vpc", "--to", "a/b/c", "--allow", "use"], "the workspace `nowhere` is not in");
    refused(&["platform/staging/network", "--to", "a/b/c", "--allow", "use"], "is not a pattern of connections");
    refused(&[VPC, "--to", "lab", "--allow", "use"], "is not a pattern of deployables");
    assert!(!document(&project, PLATFORM).contains("lab"));
}

#[test]
fn tf_r44_case_10_a_revoked_grant_names_who_is_affected_and_their_destroy_works() {
    needs_terraform!();
    let project = Project::deployed_shop();
    let revoked = project.run(&["connection", "revoke", VPC, "--to", "retail/*/*"]).succeeds();
    assert_shown!(revoked.stdout, @"
    committed to the branch `main` of `<folder>/project/.tieline/context.git`: revoke every grant on `platform/*/network/vpc.vpc` from `retail/*/*`
    <commit>
    affected:
      `retail/staging/shop/database.network` is bound to `platform/staging/network/vpc.vpc` and would have no grant to `use`
    ");
    assert!(document(&project, PLATFORM).contains("grants: []"), "{}", document(&project, PLATFORM));

    project.plan("shop").refused("grant-denied").says("platform/staging/network/vpc.vpc");
    project.run(&["destroy", "-C", "shop", "-e", "staging"]).succeeds();
    let again = project.run(&["connection", "revoke", VPC]);
    assert_eq!(again.code, 1, "{again}");
    again.says("there is no such grant on `platform/*/network/vpc.vpc`");
}

#[test]
fn r43_on_github_a_grant_is_a_pull_request_and_is_opened_once() {
    let (github, context, project) = hosted(BOTH);
    let opened = grant(&project).succeeds();
    assert_shown!(opened.stdout, @"
    opened a pull request: grant `use` on `platform/*/network/vpc.vpc` to `lab/*/*`, `lab/staging/app`
    https://github.com/acme/context/pull/1
    ");
    let [(title, branch, body)] = &context.pulls()[..] else { panic!("{:?}", context.pulls()) };
    assert_eq!(title, "Grant `use` on `platform/*/network/vpc.vpc` to `lab/*/*`, `lab/staging/app`");
    assert_shown!(body, @"
    This would grant `use` on `platform/*/network/vpc.vpc` to `lab/*/*`, `lab/staging/app`.

    Nothing that is deployed loses or changes a connection by it.

    Proposed by Tieline. It takes effect when it is merged; until then nothing changes.
    ");
    assert!(branch.starts_with("tieline/grant-platform-"), "{branch}");
    let line = "  - {connection: \"*/network/vpc.vpc\", to: [\"lab/*/*\", \"lab/staging/app\"], allow: [use]}\n";
    assert!(context.file(branch, PLATFORM).unwrap().ends_with(line));
    assert!(!context.file("main", PLATFORM).unwrap().contains("lab"), "it takes effect when it is merged");

    // The documents go on meanwhile.
    context.commit("main", &[("README.md", "ours")]);
    let writes = github.writes();
    grant(&project).succeeds().says("a pull request is open already");
    assert_eq!((github.writes(), context.pulls().len()), (writes, 1));

    // One that was closed is not reopened: it is proposed anew, on what the documents are now.
    context.close_pull(1);
    grant(&project).succeeds().says("opened a pull request");
    assert_eq!(context.pulls().len(), 1);
    assert_ne!(context.pulls()[0].1, *branch);
}

#[test]
fn r43_an_interrupted_proposal_is_finished_by_the_next_one() {
    let (github, context, project) = hosted(BOTH);
    github.fail(1, "POST /repos/acme/context/pulls", crate::github::Fault::Status(502));
    let failed = grant(&project);
    assert_eq!((failed.code, context.pulls().len()), (2, 0), "{failed}");
    let branches = context.references();
    grant(&project).succeeds().says("opened a pull request");
    assert_eq!((context.references(), context.pulls().len()), (branches, 1));
}

fn lacks(project: &Project, permission: &str) {
    let ran = grant(project);
    assert_eq!(ran.code, 2, "{ran}");
    ran.says("permission-denied").says(permission);
}

#[test]
fn r43_a_permission_that_a_proposal_lacks_is_named() {
    for (given, lacking) in
        [(&["contents=write"][..], "`pull-requests: read`"), (&["contents=read", "pull_requests=write"], "`contents: write`")]
    {
        let (github, context, project) = hosted(given);
        lacks(&project, lacking);
        assert_eq!(
            (github.requests().iter().filter(|seen| seen.is_write() && seen.status == Some(201)).count(), context.pulls().len()),
            (0, 0)
        );
    }
    let (_github, context, project) = hosted(&["contents=write", "pull_requests=read"]);
    lacks(&project, "`pull-requests: write`");
    assert_eq!(context.pulls().len(), 0);
}

const IMPORT: [&str; 9] = ["connection", "import", "legacy", "-w", "retail", "-e", "staging", "--type", "postgres-conn@1"];

#[test]
fn r48_an_imported_connection_is_written_checked_against_its_type() {
    let project = Project::shop();
    let given = ["--attributes", "{host: db.example.test, port: 5432}", "--sensitive", "{password: {env: LEGACY_PASSWORD}}"];
    let import = || project.run(&[&IMPORT[..], &given].concat());
    import().succeeds().says("import the connection `retail/staging/imported/legacy` of type `postgres-conn` 1.1.0");
    assert_shown!(document(&project, "workspaces/retail/imported/staging/legacy.yaml"), @"
    apiVersion: tieline/v1
    kind: ImportedConnection
    name: legacy
    type: postgres-conn
    version: 1.1.0
    attributes:
      host: db.example.test
      port: 5432
    sensitive:
      password:
        env: LEGACY_PASSWORD
    ");
    import().succeeds().says("nothing to do");
    let other = project.run(&[&IMPORT[..], &["--attributes", "{host: other, port: 1}"]].concat());
    assert_eq!(other.code, 1, "{other}");
    other.says("says something else");
}

#[test]
fn r48_what_does_not_fit_the_type_is_refused_all_at_once() {
    let project = Project::shop();
    let refs = project.context_refs();
    let ran =
        project.run(&[&IMPORT[..], &["--attributes", "{port: many, extra: 1}", "--sensitive", "{host: {env: HOST}}"]].concat());
    assert_eq!(ran.code, 1, "{ran}");
    assert_shown!(ran.stderr, @r#"
    error[invalid-input]: `legacy` does not fit `postgres-conn` 1.1.0: it has no attribute `extra`

    error[invalid-input]: `legacy` does not fit `postgres-conn` 1.1.0: it has no sensitive attribute `host`

    error[invalid-input]: `legacy` does not fit `postgres-conn` 1.1.0: it is not what its type says: `host` is missing

    error[invalid-input]: `legacy` does not fit `postgres-conn` 1.1.0: its attribute `port` is not what its type says: "many" is not of type "integer"
    "#);
    let ran = project.run(&["connection", "import", "x", "-w", "retail", "-e", "staging", "--type", "postgres-conn@7"]);
    ran.says("there is no connection interface type `postgres-conn@7` in the context").says("its versions are 1.1.0");
    assert_eq!(refs, project.context_refs());
}

#[test]
fn r48_a_literal_secret_is_refused_and_shown_nowhere() {
    let project = Project::shop();
    let refs = project.context_refs();
    for arguments in [
        ["--attributes", "{host: h, port: 1, password: hunter22}"],
        ["--sensitive", "{password: hunter22}"],
        ["--sensitive", "{password: {value: hunter22}}"],
        ["--sensitive", "{password: {state: hunter22}}"],
        ["--sensitive", "{password: {sealed: hunter22}}"],
        ["--sensitive", "{password: {env: hunter22!}}"],
        ["--sensitive", "{password: [hunter22}"],
    ] {
        let ran = project.run(&[&IMPORT[..], &arguments].concat());
        assert_eq!(ran.code, 1, "{ran}");
        let said = String::from_utf8_lossy(&[ran.raw.stdout, ran.raw.stderr].concat()).into_owned();
        assert!(!said.contains("hunter22"), "{arguments:?}: {said}");
    }
    assert_eq!(refs, project.context_refs());
}

#[test]
fn r40_a_deployable_is_transferred_by_the_number_of_its_new_repository() {
    let (github, context, mut project) = hosted(BOTH);
    github.repository("acme/new-network");
    project.set("TIELINE_GITHUB_TOKEN", &github.token(&[("acme/new-network", &["contents=read"])]));
    let transfer = |project: &Project| project.run(&["transfer", "network", "-w", "platform", "--to", "acme/new-network"]);
    transfer(&project).succeeds().says("opened a pull request");
    let (title, branch, _) = context.pulls().remove(0);
    assert_eq!(title, "Let `acme/new-network` (id 2000000) write `platform/network`");
    let text = context.file(&branch, PLATFORM).unwrap();
    assert!(text.ends_with("owners:\n  network: {repository: acme/new-network, id: 2000000}\n"), "{text}");

    project.set("TIELINE_GITHUB_TOKEN", &github.token(&[]));
    let unseen = transfer(&project);
    assert_eq!(unseen.code, 1, "{unseen}");
    unseen.says("--id");
}

#[test]
fn r40_a_transfer_says_who_may_no_longer_write() {
    let project = Project::shop();
    let transfer = |to: &str, id: &str| project.run(&["transfer", "network", "-w", "platform", "--to", to, "--id", id]);
    transfer("acme/network", "1").succeeds();
    let second = transfer("acme/other", "2").succeeds();
    second.says("workflows of `acme/network` (id 1) may no longer write `platform/network`");
    let text = document(&project, PLATFORM);
    assert!(text.contains("owners:\n  network: {repository: acme/other, id: 2, former: [{id: 1, until: "), "{text}");
    transfer("acme/other", "2").succeeds().says("nothing to do");
    let wrong = transfer("acme", "2");
    assert_eq!(wrong.code, 1, "{wrong}");
    wrong.says("`acme` is not a repository");
}
