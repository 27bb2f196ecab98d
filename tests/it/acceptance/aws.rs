//! The example for AWS, with the real provider: deployed, looked at again, and taken away.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::cloud::SUBJECT;
use crate::github::GitHub;
use crate::harness::Project;

use super::hand_over::{are_unchanged, attribute};
use super::moto::{self, Moto};
use super::need;

/// The folder of providers that `TIELINE_TEST_PROVIDERS` names, else one in the usual places.
fn providers() -> Result<PathBuf, String> {
    if let Some(folder) = std::env::var_os("TIELINE_TEST_PROVIDERS") {
        return Some(PathBuf::from(folder))
            .filter(|folder| holds_aws(folder))
            .ok_or("TIELINE_TEST_PROVIDERS holds no AWS".to_owned());
    }
    let usual = ["/opt", "/usr/share/terraform", "/usr/local/share/terraform"].map(Path::new);
    let found = usual.into_iter().flat_map(folders).find(|folder| holds_aws(folder));
    found.ok_or_else(|| "no folder of Terraform providers with AWS, in TIELINE_TEST_PROVIDERS or below /opt".to_owned())
}

/// It is laid out as `<host>/<namespace>/<name>`.
fn holds_aws(folder: &Path) -> bool {
    folders(folder).iter().any(|host| host.join("hashicorp/aws").is_dir())
}

fn folders(path: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(path).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect()
}

/// The example in a project, with an AWS that is not the real one and providers that need no download.
fn example(moto: &Moto, providers: &Path) -> Project {
    let mut project = Project::empty();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/aws"), &project.root());
    let source = format!("provider_installation {{\n  filesystem_mirror {{\n    path = \"{}\"\n  }}\n}}\n", providers.display());
    project.write("providers.tfrc", &source);
    let configuration = project.path("providers.tfrc");
    project.set("TF_CLI_CONFIG_FILE", configuration.to_str().unwrap());
    for (name, value) in moto::variables(&moto.url()) {
        project.set(name, value);
    }
    moto.make_bucket("acme-tfstate-staging");
    project.init_context();
    project
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// How many queues there are.
fn queues(moto: &Moto) -> usize {
    moto.sqs("ListQueues", &json!({}))["QueueUrls"].as_array().map_or(0, Vec::len)
}

#[test]
fn acceptance_aws_the_example_is_deployed_stays_as_it_is_and_goes() {
    let Some(providers) = need("aws", providers()) else { return };
    let Some(moto) = need("aws", Moto::start()) else { return };
    let project = example(&moto, &providers);

    let network = project.deploy_json("network", &[]);
    let vpc = attribute(&network, "platform/staging/network/vpc.vpc", "vpc_id").to_owned();
    let orders = project.deploy_json("orders", &[]);
    let url = attribute(&orders, "retail/staging/orders/queue.queue", "url");
    assert_eq!(queues(&moto), 2, "a queue and its dead-letter queue");
    let policy = moto.sqs("GetQueueAttributes", &json!({"QueueUrl": url, "AttributeNames": ["All"]}));
    assert!(policy.to_string().contains(&vpc), "the queue's policy is about another network: {policy}");

    // Not of the orders: the stand-in gives their redrive policy back with blanks in it, which the provider takes for a change.
    project.plan_with("network", &["--refresh"]).succeeds().says("0 to add, 0 to change, 0 to destroy");
    assert!(are_unchanged(&project.deploy_json("orders", &[])));

    for deployable in ["orders", "network"] {
        // The network is needed as long as it is somebody's default.
        if deployable == "network" {
            let default = "defaults:\n  aws-vpc-conn: platform/staging/network/vpc.vpc\n";
            project.edit_context("workspaces/retail/environments/staging.yaml", default, "");
        }
        let file = format!("{deployable}/tieline.yaml");
        let manifest = project.read(&file);
        let (head, _) = manifest.split_once("plugins:").unwrap();
        project.write(&file, &format!("{head}plugins: {{}}\n"));
        project.deploy_with(deployable, &["--allow-destroy"]).succeeds().never_says(moto::SECRET_KEY);
    }
    assert_eq!(queues(&moto), 0);
}

#[test]
fn acceptance_aws_drift_is_what_others_changed_there() {
    let Some(providers) = need("aws", providers()) else { return };
    let Some(moto) = need("aws", Moto::start()) else { return };
    let project = example(&moto, &providers);
    project.deploy("network").succeeds();
    let orders = project.deploy_json("orders", &[]);
    let url = attribute(&orders, "retail/staging/orders/queue.queue", "url");
    let look = |workspace: &str| project.run(&["drift", "-w", workspace, "-e", "staging"]).succeeds();
    // The rules of a security group are resources of their own; the group knows of them only when it is read again.
    look("platform").says("  vpc: as it was applied; 1 resource has other values").says("Nothing changed outside of Terraform.");

    moto.sqs("SetQueueAttributes", &json!({"QueueUrl": url, "Attributes": {"MessageRetentionPeriod": "61"}}));
    look("retail").says("        message_retention_seconds: 345600 -> 61\n");
    moto.sqs("DeleteQueue", &json!({"QueueUrl": url}));
    look("retail").says("    - aws_sqs_queue.this\n").never_says("-> 61").never_says(moto::SECRET_KEY);
}

/// The provider looks up whose credentials it has: with any but the role's, it would be in the stand-in's own account and refuse.
#[test]
fn acceptance_aws_a_workflow_deploys_with_its_role() {
    let Some(providers) = need("aws", providers()) else { return };
    let Some(moto) = need("aws", Moto::start()) else { return };
    let mut project = example(&moto, &providers);
    let account = "id: \"222233334444\", role: \"arn:aws:iam::222233334444:role/deploy\"";
    project.edit_context("workspaces/platform/environments/staging.yaml", "id: \"123456789012\"", account);
    project.deploy_with("network", &[]).fails(2, "plan-failed").says("222233334444");

    let github = GitHub::start();
    let identity = github.identity(SUBJECT);
    project.set("ACTIONS_ID_TOKEN_REQUEST_URL", &identity.url);
    project.set("ACTIONS_ID_TOKEN_REQUEST_TOKEN", &identity.token);
    let network = project.deploy_json("network", &[]);
    assert!(attribute(&network, "platform/staging/network/vpc.vpc", "vpc_id").starts_with("vpc-"));
}
