//! A ledger that is believed only with proofs: what is forged is not acted upon.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::github::GitHub;
use crate::harness::{Project, assert_shown, needs_terraform, tasks};

const CONTEXT: &str = "context/context.yaml";
const WORKSPACE: &str = "workspaces/lab/workspace.yaml";
const RECORD: &str = "lab/staging/shared/connections/d.out.json";
const APPLIED: &str = "lab/staging/shared/applied/d.json";

/// The lab, with proofs required. `shared` belongs to `acme/shared`; `app`, which takes its connection, to `acme/app`.
struct Lab {
    project: Project,
    github: GitHub,
}

impl Lab {
    fn new() -> Self {
        let lab = Self { project: Project::lab(), github: GitHub::start() };
        // Their ids are 1000000, 2000000 and 3000000.
        for name in ["acme/shared", "acme/app", "acme/other"] {
            lab.github.repository(name);
        }
        lab.project.edit(&format!("context/{WORKSPACE}"), "grants: []", OWNERS);
        lab.require("");
        lab.project.app("shared", "  d: {use: ../plugins/thing, inputs: {name: shared}}\n");
        lab.project
            .app("app", "  a: {use: ../plugins/thing, inputs: {name: app}, connections: {upstream: lab/staging/shared/d.out}}\n");
        lab
    }

    /// The same, with both deployed.
    fn deployed() -> Self {
        let mut lab = Self::new();
        lab.in_workflow_of("acme/shared", 1_000_000);
        lab.project.deploy("shared").succeeds();
        lab.in_workflow_of("acme/app", 2_000_000);
        lab.project.deploy("app").succeeds();
        lab
    }

    /// Requires proofs, with `more` beside the key.
    fn require(&self, more: &str) {
        let keys = json!([GitHub::key()]);
        let issuer = format!("{}/_oidc", self.github.url());
        self.project.write(
            CONTEXT,
            &format!(
                "apiVersion: tieline/v1\nkind: Context\nproofs: required\nproof-keys: {{issuer: '{issuer}', audience: tieline/lab, keys: {keys}{more}}}\n"
            ),
        );
        self.project.init_context();
    }

    /// The runs that follow are of a workflow of this repository.
    fn in_workflow_of(&mut self, repository: &str, id: u64) {
        let identity = self.github.identity(&format!("repo:{repository}:ref:refs/heads/main"));
        for (name, value) in [
            ("GITHUB_ACTIONS", "true".to_owned()),
            ("GITHUB_REPOSITORY", repository.to_owned()),
            ("GITHUB_REPOSITORY_ID", id.to_string()),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", identity.url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", identity.token),
        ] {
            self.project.set(name, &value);
        }
    }

    fn proof_of(&self, record: &str) -> String {
        let record = self.project.ledger(record);
        format!("lab/staging/shared/proofs/{}.json", record["proof"].as_str().unwrap())
    }

    /// What is said to a verification when these files were put in place of what is there; they are put back.
    fn verdict(&self, forged: &[(&str, String)]) -> String {
        let before: Vec<(&str, String)> = forged.iter().map(|(path, _)| (*path, self.project.ledger_text(path))).collect();
        for (path, text) in forged {
            self.project.forge(path, text);
        }
        let ran = self.project.run(&["context", "verify"]);
        for (path, text) in before {
            self.project.forge(path, &text);
        }
        assert_eq!(ran.code, 2, "{ran}");
        ran.stderr
    }
}

const OWNERS: &str = "owners:
  shared: {repository: acme/shared, id: 1000000}
  app: {repository: acme/app, id: 2000000}
grants: [{connection: '*/*/*', to: ['lab/*/*'], allow: [use]}]";

/// A record with another value.
fn changed(record: &Value) -> Value {
    let mut record = record.clone();
    record["attributes"]["name"] = "evil".into();
    record["digest"] = "0".repeat(64).into();
    record
}

fn claims(token: &str) -> Value {
    GitHub::claims(token).unwrap()
}

/// A token with this head and signature, and the claims of another.
fn with_head(token: &str, head: &Value, sign: impl Fn(&str) -> Vec<u8>) -> String {
    let claims = token.split('.').nth(1).unwrap();
    let signed = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(head.to_string()));
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(sign(&signed)))
}

/// A process of this machine that has ended, as anybody who runs on it can name one.
fn ended_process() -> Value {
    let namespace = std::fs::read_link("/proc/self/ns/pid").unwrap();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
    json!({"id": 4_000_000, "started": 1, "boot": boot.trim(), "namespace": namespace, "machine": ""})
}

/// Puts a claim of a place there, whoever asks for it.
fn forge_claim(project: &Project, place: &str, claim: &Value) {
    const REPOSITORY: &str = ".tieline/context.git";
    project.write("claim.json", &claim.to_string());
    let file = project.path("claim.json").display().to_string();
    let blob = project.git(REPOSITORY, &["hash-object", "-w", &file]);
    let index = project.path("claim.index").display().to_string();
    let script = format!(
        "export GIT_INDEX_FILE='{index}'; git update-index --add --cacheinfo 100644,{},claim.json; git write-tree",
        blob.trim()
    );
    let tree = project.git(REPOSITORY, &["-c", &format!("alias.forge=!{script}"), "forge"]);
    let commit = project.git(REPOSITORY, &["commit-tree", "-m", "claim", tree.trim()]);
    project.git(REPOSITORY, &["update-ref", &format!("refs/tieline/claims/{place}"), commit.trim()]);
}

#[test]
fn tf_r41_a_run_proves_what_it_writes_and_readers_believe_it() {
    needs_terraform!();
    let mut lab = Lab::new();
    lab.in_workflow_of("acme/shared", 1_000_000);
    lab.project.deploy("shared").succeeds().never_says("eyJ").never_says("not believed");
    lab.in_workflow_of("acme/app", 2_000_000);
    lab.project.deploy_with("app", &["--log-level", "debug"]).succeeds().never_says("eyJ").never_says("not believed");
    let proofs = |place: &str| lab.project.ledger_paths().into_iter().filter(|path| path.contains(place)).count();
    assert_eq!((proofs("shared/proofs/"), proofs("app/proofs/")), (1, 1), "one commit, one proof");
    lab.project.run(&["context", "verify"]).succeeds();
    let report = lab.project.deploy_json("app", &[]);
    assert_eq!(tasks(&report), "a: skipped (unchanged)\n");
}

#[test]
fn r41_without_a_token_nothing_is_started() {
    let mut lab = Lab::new();
    lab.in_workflow_of("acme/shared", 1_000_000);
    lab.project.set("ACTIONS_ID_TOKEN_REQUEST_URL", "");
    let ran = lab.project.deploy("shared").fails(2, "permission-denied");
    assert_shown!(ran.stderr, @"
    error[permission-denied]: the workflow's job may not have an identity token: it lacks `id-token: write`
     |
     = note: the runner gave no `ACTIONS_ID_TOKEN_REQUEST_URL`
     = note: the context asks for proofs of who writes it: `proofs: required` in `context.yaml`
     = help: add `id-token: write` to `permissions:` of the workflow's job
     = help: pull requests from forks never get one
    ");
    assert_eq!(lab.project.ledger_paths(), [""; 0]);
}

#[test]
fn r41_what_would_not_be_believed_is_not_written() {
    let mut lab = Lab::new();
    lab.in_workflow_of("acme/other", 1_000_000);
    lab.project.deploy("shared").refused("not-owner").says("its token is of a workflow of `acme/other`");
    lab.in_workflow_of("acme/shared", 1_000_000);
    lab.project.edit(CONTEXT, "\"kid\":\"1\"", "\"kid\":\"2\"");
    lab.project.init_context();
    lab.project.deploy("shared").refused("not-owner").says("signed with the key `1`, which is not pinned");
    lab.project.app("free", "  a: {use: ../plugins/thing, inputs: {name: a}}\n");
    lab.require("");
    lab.project.deploy("free").refused("not-owner").says("`free` has no owner");
    assert_eq!(lab.project.ledger_paths(), [""; 0]);
}

#[test]
fn tf_r41_no_forgery_is_believed() {
    needs_terraform!();
    let lab = Lab::deployed();
    let (record, proof_path) = (lab.project.ledger(RECORD), lab.proof_of(RECORD));
    let proof = lab.project.ledger(&proof_path);
    let token = proof["token"].as_str().unwrap();
    let with_token = |token: String| {
        let mut proof = proof.clone();
        proof["token"] = token.into();
        vec![(proof_path.as_str(), proof.to_string())]
    };
    let of = |change: &dyn Fn(&mut Value)| {
        let mut claims = claims(token);
        change(&mut claims);
        with_token(GitHub::forged(&claims))
    };
    let digest_of = |text: &str| tieline::domain::names::Digest::of(text.as_bytes()).as_str().to_owned();
    let evil = changed(&record).to_string();
    let mut other_list = proof.clone();
    other_list["files"][RECORD] = digest_of(&evil).into();
    let mut short_list = proof.clone();
    short_list["files"].as_object_mut().unwrap().remove(APPLIED);
    let mut long_list = proof.clone();
    long_list["files"]["lab/staging/app/applied/a.json"] = "0".repeat(64).into();
    let mut nameless = record.clone();
    nameless.as_object_mut().unwrap().remove("proof");
    let key = GitHub::key()["n"].as_str().unwrap().as_bytes().to_vec();
    let hmac = |signed: &str| {
        let key = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key);
        ring::hmac::sign(&key, signed.as_bytes()).as_ref().to_vec()
    };
    let cases = [
        ("right token, other content", vec![(RECORD, evil.clone())], "its proof is for other content"),
        ("no proof", vec![(RECORD, nameless.to_string())], "it has no proof"),
        (
            "other content, in the list as well",
            vec![(RECORD, evil), (&proof_path, other_list.to_string())],
            "its token was made for something else",
        ),
        ("a truncated list", vec![(&proof_path, short_list.to_string())], "its token was made for something else"),
        ("a list that reaches elsewhere", vec![(&proof_path, long_list.to_string())], "not for `lab/staging/shared` to write"),
        (
            "of another repository",
            of(&|claims| {
                claims["repository_id"] = "3000000".into();
                claims["repository"] = "acme/other".into();
            }),
            "its token is of a workflow of `acme/other`, and `acme/shared` owns `shared`",
        ),
        ("of no repository", of(&|claims| claims["repository_id"] = Value::Null), "and `acme/shared` owns `shared`"),
        ("of another audience", of(&|claims| claims["aud"] = "tieline/lab".into()), "its token was made for something else"),
        (
            "of another issuer",
            of(&|claims| claims["iss"] = "https://issuer.example".into()),
            "its token is by `https://issuer.example`",
        ),
        ("alg none", with_token(with_head(token, &json!({"alg": "none", "kid": "1"}), |_| Vec::new())), "signed by `none`"),
        (
            "HS256 with the public key",
            with_token(with_head(token, &json!({"alg": "HS256", "kid": "1"}), hmac)),
            "signed by `HS256`, and only `RS256` is believed",
        ),
        (
            "RS256, unsigned",
            with_token(with_head(token, &json!({"alg": "RS256", "kid": "1"}), |_| vec![0; 256])),
            "was not signed with the key `1`",
        ),
        (
            "a key that is not pinned",
            with_token(with_head(token, &json!({"alg": "RS256", "kid": "2"}), |_| vec![0; 256])),
            "signed with the key `2`, which is not pinned",
        ),
        ("no token at all", with_token("hello".to_owned()), "its token is not one"),
    ];
    for (name, forged, why) in cases {
        let said = lab.verdict(&forged);
        assert!(said.contains(&format!("`{RECORD}` is not believed: ")) && said.contains(why), "{name}: no `{why}` in\n{said}");
    }
    lab.require("");
    lab.project.run(&["context", "verify"]).succeeds();
    lab.project.edit(CONTEXT, "\"kid\":\"1\"", "\"kid\":\"1\",\"not-after\":\"2020-01-01T00:00:00Z\"");
    lab.project.init_context();
    lab.project
        .run(&["context", "verify"])
        .fails(2, "context-unavailable")
        .says("its token is from after the last day of the key `1`");
}

#[test]
fn tf_r41_a_record_at_another_path_is_not_believed() {
    needs_terraform!();
    let lab = Lab::deployed();
    let text = lab.project.ledger_text(RECORD).replace("d.out", "e.out");
    lab.project.forge("lab/staging/shared/connections/e.out.json", &text);
    lab.project
        .run(&["context", "verify"])
        .fails(2, "context-unavailable")
        .says("e.out.json` is not believed: its proof is for other files");
}

#[test]
fn tf_r41_case_22_a_forged_record_is_not_bound_to() {
    needs_terraform!();
    let lab = Lab::deployed();
    let evil = changed(&lab.project.ledger(RECORD)).to_string();
    lab.project.forge(RECORD, &evil);
    let ran = lab.project.run(&["deploy", "-C", "app", "-e", "staging"]);
    assert_eq!(ran.code, 1, "{ran}");
    assert_shown!(ran.stderr, @r"
    warning: `lab/staging/shared/connections/d.out.json` is not believed: its proof is for other content
    warning[unresolved-slot]: slot `a.upstream` is bound to `lab/staging/shared/d.out`, which is gone
     |
     = help: wire the slot to another connection, or destroy what is applied: that needs no producer
    warning[unresolved-slot]: slot `a.upstream` waits for `lab/staging/shared/d.out`, which is not published yet: a deploy would be refused
     --> app/tieline.yaml:6:75
      |
    6 |   a: {use: ../plugins/thing, inputs: {name: app}, connections: {upstream: lab/staging/shared/d.out}}
      |                                                                           ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: deploy its producer first
    error[unresolved-slot]: slot `a.upstream` takes `lab/staging/shared/d.out`, which does not exist yet
     --> app/tieline.yaml:6:3
      |
    6 |   a: {use: ../plugins/thing, inputs: {name: app}, connections: {upstream: lab/staging/shared/d.out}}
      |   ^
      |
      = note: it was chosen by reference
      = help: deploy its producer first, or correct the address
    ");
}

#[test]
fn tf_r41_case_22_a_forged_consumer_entry_blocks_nobody() {
    needs_terraform!();
    let mut lab = Lab::deployed();
    lab.project.run(&["destroy", "-C", "app", "-e", "staging"]).succeeds();
    let entry = json!({
        "schemaVersion": 1, "consumer": "lab/staging/evil/a.upstream", "uid": "0", "generation": 1, "type": "thing-conn",
        "typeVersion": "1.0.0", "attributes": ["name"],
    });
    lab.project.forge("lab/staging/shared/consumers/d.out/lab~staging~evil~a.upstream.json", &entry.to_string());
    lab.in_workflow_of("acme/shared", 1_000_000);
    lab.project
        .run(&["destroy", "-C", "shared", "-e", "staging"])
        .succeeds()
        .says("warning: `lab/staging/shared/consumers/d.out/lab~staging~evil~a.upstream.json` is not believed: it has no proof");
    assert_eq!(lab.project.state_resources("lab/staging/shared/d"), [""; 0]);
}

#[test]
fn tf_r41_a_consumer_whose_owner_cannot_be_told_still_blocks() {
    needs_terraform!();
    let mut lab = Lab::deployed();
    lab.project.edit(&format!("context/{WORKSPACE}"), "  app: {repository: acme/app, id: 2000000}\n", "");
    lab.project.init_context();
    lab.in_workflow_of("acme/shared", 1_000_000);
    let ran = lab.project.run(&["destroy", "-C", "shared", "-e", "staging"]);
    assert_ne!(ran.code, 0, "{ran}");
    ran.says("consumers/d.out/lab~staging~app~a.upstream.json").says("`app` has no owner in the document of workspace `lab`");
    assert!(!lab.project.state_resources("lab/staging/shared/d").is_empty(), "nothing was touched");
}

#[test]
fn tf_r41_a_true_consumer_entry_still_blocks() {
    needs_terraform!();
    let mut lab = Lab::deployed();
    lab.in_workflow_of("acme/shared", 1_000_000);
    lab.project
        .run(&["destroy", "-C", "shared", "-e", "staging"])
        .refused("consumers-exist")
        .says("`lab/staging/app/a.upstream` is bound to it");
}

#[test]
fn tf_r41_a_forged_applied_record_is_never_acted_upon() {
    needs_terraform!();
    let mut lab = Lab::deployed();
    lab.in_workflow_of("acme/shared", 1_000_000);
    let mut applied = lab.project.ledger(APPLIED);
    applied["state"]["key"] = "elsewhere".into();
    lab.project.forge(APPLIED, &applied.to_string());
    for command in ["deploy", "destroy", "plan"] {
        lab.project
            .run(&[command, "-C", "shared", "-e", "staging"])
            .fails(2, "context-unavailable")
            .says("it is not believed: its proof is for other content");
    }
    assert_eq!(lab.project.state_resources("lab/staging/shared/d").len(), 3, "nothing was touched");
}

#[test]
fn tf_r41_the_journal_of_a_forged_claim_is_not_recorded() {
    needs_terraform!();
    let mut lab = Lab::deployed();
    let mut run = lab.project.newest("lab/staging/shared/runs");
    run["id"] = "01M7XRTCNWT6A165VVV91K4FWG".into();
    run["status"] = "running".into();
    let mut applied = lab.project.ledger(APPLIED);
    applied["state"]["key"] = "elsewhere".into();
    let claim = json!({
        "schemaVersion": 1, "place": {"workspace": "lab", "environment": "staging", "deployable": "shared"}, "run": run,
        "host": "here", "process": ended_process(), "lease": "2026-01-01T00:00:00Z", "binds": [], "applied": {"d": applied},
    });
    forge_claim(&lab.project, "lab/staging/shared", &claim);
    lab.in_workflow_of("acme/shared", 1_000_000);
    lab.project
        .deploy("shared")
        .succeeds()
        .says("warning: `the claim of lab/staging/shared` is not believed: it has no proof")
        .says("its claim taken over");
    assert_eq!(lab.project.ledger(APPLIED)["state"]["key"], "lab/staging/shared/d", "the journal was not recorded");
    assert_eq!(lab.project.newest("lab/staging/shared/runs")["status"], "succeeded");
}

#[test]
fn tf_r41_what_stood_at_the_baseline_needs_no_proof() {
    needs_terraform!();
    let mut lab = Lab::new();
    lab.project.edit(CONTEXT, "proofs: required", "proofs: off");
    lab.project.init_context();
    lab.in_workflow_of("acme/shared", 1_000_000);
    lab.project.deploy("shared").succeeds();
    let baseline = lab.project.git(".tieline/context.git", &["rev-parse", "ledger"]);
    lab.require("");
    lab.project.run(&["deploy", "-C", "shared", "-e", "staging"]).fails(2, "context-unavailable").says("it has no proof");
    lab.require(&format!(", baseline: '{}'", baseline.trim()));
    lab.project.deploy("shared").succeeds().never_says("not believed");
    lab.project.forge(RECORD, &changed(&lab.project.ledger(RECORD)).to_string());
    lab.project.run(&["context", "verify"]).fails(2, "context-unavailable").says("d.out.json` is not believed: it has no proof");
}

#[test]
fn tf_r41_what_a_former_owner_proved_while_it_was_one_still_counts() {
    needs_terraform!();
    let mut lab = Lab::deployed();
    let handed_over =
        |until: &str| format!("shared: {{repository: acme/other, id: 3000000, former: [{{id: 1000000, until: '{until}'}}]}}");
    let owners = "shared: {repository: acme/shared, id: 1000000}";
    lab.project.edit_context(WORKSPACE, owners, &handed_over("2020-01-01T00:00:00Z"));
    lab.project.run(&["context", "verify"]).fails(2, "context-unavailable").says("and `acme/other` owns `shared`");
    lab.project.edit_context(WORKSPACE, &handed_over("2020-01-01T00:00:00Z"), &handed_over("2999-01-01T00:00:00Z"));
    lab.project.run(&["context", "verify"]).succeeds();
    lab.project.deploy("shared").refused("not-owner");
    lab.in_workflow_of("acme/other", 3_000_000);
    lab.project.deploy("shared").succeeds();
}

#[test]
fn tf_r41_what_is_not_believed_is_left_out_of_what_is_shown_and_said() {
    needs_terraform!();
    let lab = Lab::deployed();
    let forged = changed(&lab.project.ledger(RECORD)).to_string();
    lab.project.forge(RECORD, &forged);
    let shown = lab.project.run(&["status", "-w", "lab"]).succeeds();
    let (before, unproven) = shown.stdout.split_once("Not believed, and left out\n").unwrap_or_else(|| panic!("{shown}"));
    assert!(!before.contains("lab/staging/shared/d.out  ready") && before.contains("lab/staging/app/a.out  ready"), "{shown}");
    assert!(unproven.contains(RECORD) && unproven.contains("its proof is for other content"), "{shown}");
    let json = lab.project.run(&["status", "-w", "lab", "-o", "json"]).succeeds().json();
    assert_eq!(json["unproven"], json!([{"path": RECORD, "because": "its proof is for other content"}]));
    let listed = lab.project.run(&["connection", "list", "-w", "lab", "-e", "staging"]).succeeds();
    assert!(
        listed.stderr.contains(&format!("warning: `{RECORD}` is not believed")) && !listed.stdout.contains("evil"),
        "{listed}"
    );
}

#[test]
fn tf_r41_what_a_preview_was_made_from_is_proven_by_the_repository_that_it_names() {
    needs_terraform!();
    let mut lab = Lab::deployed();
    let manifest = lab.project.read("app/tieline.yaml");
    lab.project.write("app/tieline.yaml", &(manifest + "preview: {base: staging}\n"));
    let up = ["preview", "up", "-C", "app", "--pull-request", "5"];
    lab.project.run(&up).succeeds();
    // The lab has deployables of several repositories.
    let listed = lab.project.run(&["preview", "list", "-o", "json"]).succeeds().json();
    let name = listed["previews"][0]["environment"].as_str().unwrap().to_owned();
    assert!(name.starts_with("pr-5-"), "{name}");
    lab.project.verify();

    let path = format!("lab/{name}/environment.json");
    let forged = lab.project.ledger_text(&path).replace("2000000", "3000000");
    lab.project.forge(&path, &forged);
    let listed = lab.project.run(&["preview", "list"]).succeeds();
    listed.says("there are no previews").says(&format!("`{path}` is not believed"));

    lab.in_workflow_of("acme/other", 3_000_000);
    lab.project.run(&up).refused("not-owner");
    lab.project.run(&[&up[..], &["--repository-id", "2000000"]].concat()).refused("not-owner");
}
