//! The example for AWS, with the real provider: deployed, looked at again, and taken away.

use std::fs;
use std::path::{Path, PathBuf};

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
    moto::variables(&moto.url()).iter().for_each(|(name, value)| project.set(name, value));
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

#[test]
fn acceptance_aws_the_example_is_deployed_stays_as_it_is_and_goes() {
    let Some(providers) = need("aws", providers()) else { return };
    let Some(moto) = need("aws", Moto::start()) else { return };
    let project = example(&moto, &providers);

    let network = project.deploy_json("network", &[]);
    let vpc = attribute(&network, "platform/staging/network/vpc.vpc", "vpc_id").to_owned();
    let orders = project.deploy_json("orders", &[]);
    let queue = attribute(&orders, "retail/staging/orders/queue.queue", "url");
    assert_eq!(moto.queues().len(), 2, "a queue and its dead-letter queue");
    let real = moto.queues().into_iter().find(|found| found["name"] == queue.rsplit('/').next().unwrap()).unwrap();
    assert!(real["policy"].to_string().contains(&vpc), "the queue's policy is about another network: {real}");

    project.plan_with("network", &["--refresh"]).succeeds().says("0 to add, 0 to change, 0 to destroy");
    // The stand-in gives the redrive policy back with blanks in it, which the provider takes for a change.
    let changed = "queue: +0 ~2 -0\n  ~ update aws_sqs_queue.this\n  ~ update aws_sqs_queue_policy.this\n";
    project.plan_with("orders", &["--refresh"]).succeeds().says(changed);
    assert!(are_unchanged(&project.deploy_json("orders", &[])));

    for deployable in ["orders", "network"] {
        let file = format!("{deployable}/tieline.yaml");
        let manifest = project.read(&file);
        let (head, _) = manifest.split_once("plugins:").unwrap();
        project.write(&file, &format!("{head}plugins: {{}}\n"));
        project.deploy_with(deployable, &["--allow-destroy"]).succeeds().never_says(moto::SECRET_KEY);
    }
    assert!(moto.queues().is_empty(), "{:?}", moto.queues());
}
