//! On the real binary. Slowness comes from `local-exec`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::domain::failure::FailureReason;
use crate::domain::record::ChangeCounts;

const LOCAL: &str = r#"terraform { 
  backend "local" { path = "state.tfstate" }
}
"#;

#[tokio::test]
async fn tf_a_whole_life() {
    let Some(bench) = Bench::real().await else { return };
    let main = r#"
        variable "password" { 
          type      = string
          sensitive = true
        }
        variable "token" {
          type      = string
          ephemeral = true
        }
        resource "terraform_data" "a" { input = 5432 }
        resource "terraform_data" "b" { input = var.password }
        output "port" { value = terraform_data.a.output }
        output "login" {
          value     = { password = terraform_data.b.output, port = terraform_data.a.output }
          sensitive = true
        }"#;
    let variables = r#"{"password": "canary", "token": "canary"}"#;
    let root = bench.root(&[("backend.tf", LOCAL), ("main.tf", main), ("secret.tfvars.json", variables)]);
    let root = Root { variable_file: Some(root.directory.join("secret.tfvars.json")), ..root };
    assert_eq!(bench.init(&root).await.unwrap(), None, "no lock file for the built-in provider alone");

    let plan = bench.plan(&root, PlanMode::Apply).await.unwrap();
    assert_eq!((plan.changed, plan.prior.len(), plan.counts), (true, 0, ChangeCounts { add: 2, change: 0, remove: 0 }));
    let shown = bench.terraform.show_plan(&root, &bench.cancel).await.unwrap();
    assert_eq!(shown["resource_changes"].as_array().unwrap().len(), 2);
    let applied = bench.apply(&root).await.unwrap();
    assert_eq!(applied.counts, ChangeCounts { add: 2, change: 0, remove: 0 });
    assert_eq!(applied.outputs["port"], OutputValue { sensitive: false, value: Some(json!(5432)), type_: json!("number") });
    let login = OutputValue { sensitive: true, value: None, type_: json!(["object", {"password": "string", "port": "number"}]) };
    assert_eq!(applied.outputs["login"], login);

    let again = bench.plan(&root, PlanMode::Apply).await.unwrap();
    assert_eq!((again.changed, again.prior.len()), (false, 2));
    let destroy = bench.plan(&root, PlanMode::Destroy).await.unwrap();
    assert_eq!((destroy.changed, destroy.counts.remove), (true, 2));
    assert_eq!(bench.apply(&root).await.unwrap().counts.remove, 2);
    let all = format!("{:?}", bench.events.lock().unwrap());
    assert!(!all.contains("CLI configuration"), "no warning about a missing configuration file");
    assert!(!all.contains("TRACE"), "no log that could hold secrets");
    assert!(!all.contains("canary"), "no sensitive value in any event");
}

#[tokio::test]
async fn tf_r33_a_missing_state_shows_as_an_empty_one() {
    let Some(bench) = Bench::real().await else { return };
    let root = bench.root(&[("main.tf", LOCAL), ("a.tf", r#"resource "terraform_data" "a" {}"#)]);
    bench.deploy(&root).await;
    assert_eq!(bench.plan(&root, PlanMode::Destroy).await.unwrap().prior.len(), 1);
    Files.remove(&root.directory.join("state.tfstate")).unwrap();
    let destroy = bench.plan(&root, PlanMode::Destroy).await.unwrap();
    assert_eq!((destroy.changed, destroy.prior.len()), (false, 0));
}

#[tokio::test]
async fn tf_a_diagnostic_deep_in_a_module_keeps_its_place() {
    let Some(bench) = Bench::real().await else { return };
    let leaf = "# one\n# two\nresource \"terraform_data\" \"x\" { nope = 1 }\n";
    let root = bench.root(&[
        ("main.tf", r#"module "plugin" { source = "./plugin" }"#),
        ("plugin/main.tf", r#"module "leaf" { source = "./leaf" }"#),
        ("plugin/leaf/main.tf", leaf),
    ]);
    bench.init(&root).await.unwrap();
    let failure = bench.plan(&root, PlanMode::Apply).await.unwrap_err();
    assert_eq!(failure.reason, FailureReason::PlanFailed);
    let [diagnostic] = failure.diagnostics.as_slice() else { panic!("{failure:?}") };
    assert_eq!(diagnostic.summary, "Unsupported argument");
    assert_eq!((diagnostic.file.as_deref(), diagnostic.line), (Some("plugin/leaf/main.tf"), Some(3)));
    assert!(diagnostic.snippet.as_ref().unwrap().code.contains("nope = 1"));
    assert!(advice(diagnostic).is_some());
}

#[tokio::test]
async fn tf_init_says_why_it_failed() {
    let Some(bench) = Bench::real().await else { return };
    let root = bench.root(&[("main.tf", r#"terraform { required_version = ">= 99" }"#)]);
    let failure = bench.init(&root).await.unwrap_err();
    assert_eq!(
        (failure.reason, failure.diagnostics[0].summary.as_str()),
        (FailureReason::InitFailed, "Unsupported Terraform Core version")
    );
    assert_eq!(bench.seen(|event| matches!(event, Event::Retrying { .. })), 0);
}

#[tokio::test]
async fn tf_r67_hostile_text_stays_data() {
    let Some(bench) = Bench::real().await else { return };
    // The last line goes past terraform's own capture, into its error output.
    let main = r#"
        resource "terraform_data" "a" {
          for_each = toset(["::error::x", "a\n::set-output name=x::y", "$${file(\"/etc/passwd\")}", "x ##[group]"])
          input    = each.key
          provisioner "local-exec" {
            command = <<-SH
              echo '::add-mask::x'
              echo '{"type":"outputs","outputs":{"forged":{"sensitive":false,"type":"string","value":"x"}}}'
              echo '{"type":"outputs","outputs":{"forged":{"sensitive":false,"type":"string","value":"x"}}}' > /proc/$PPID/fd/2
            SH
          }
        }
        output "keys" { value = { for key, data in terraform_data.a : key => data.output } }"#;
    let root = bench.root(&[("backend.tf", LOCAL), ("main.tf", main)]);
    let applied = bench.deploy(&root).await;
    assert_eq!(applied.counts.add, 4);
    assert_eq!(applied.outputs.keys().collect::<Vec<_>>(), ["keys"]);
    let keys = applied.outputs["keys"].value.as_ref().unwrap().as_object().unwrap();
    assert_eq!(keys["a\n::set-output name=x::y"], json!("a\n::set-output name=x::y"));
    assert_eq!(keys[r#"${file("/etc/passwd")}"#], json!(r#"${file("/etc/passwd")}"#));
    assert_eq!(bench.seen(|event| matches!(event, Event::Provision { output, .. } if output == "::add-mask::x")), 4);
    assert_eq!(bench.seen(|event| matches!(event, Event::Text(line) if line.contains("forged"))), 4);
}

/// A resource that waits until it is interrupted, after one that is there at once.
const SLOW: &str = r#"
    resource "terraform_data" "fast" { input = "f" }
    resource "terraform_data" "slow" {
      depends_on = [terraform_data.fast]
      provisioner "local-exec" { command = "sleep 30" }
    }"#;

fn sleeping(event: &Event) -> bool {
    matches!(event, Event::Provision { .. })
}

#[tokio::test]
async fn tf_a_lock_that_another_holds_is_named() {
    let Some(bench) = Bench::real().await else { return };
    let root = bench.root(&[("backend.tf", LOCAL), ("main.tf", SLOW)]);
    bench.init(&root).await.unwrap();
    bench.plan(&root, PlanMode::Apply).await.unwrap();
    let other = bench.root_named("other", &[("main.tf", &LOCAL.replace("state.tfstate", "../root/state.tfstate"))]);
    bench.terraform.init(&other, &|_| {}, &bench.cancel).await.unwrap();
    let (applied, ()) = tokio::join!(bench.apply(&root), async {
        bench.until(sleeping).await;
        let unbothered = CancellationToken::new();
        let failure = bench.terraform.plan(&other, PlanMode::Apply, true, &|_| {}, &unbothered).await.unwrap_err();
        let held = file_text(&root.directory.join(".state.tfstate.lock.info"));
        let held: serde_json::Value = serde_json::from_str(&held).unwrap();
        let lock = failure.lock.unwrap();
        assert_eq!((failure.reason, json!(lock.id)), (FailureReason::StateLocked, held["ID"].clone()));
        assert_eq!((lock.operation.as_str(), json!(lock.who)), ("OperationTypeApply", held["Who"].clone()));
        bench.terraform.plan(&other, PlanMode::Apply, false, &|_| {}, &unbothered).await.unwrap();
        let refused = bench.terraform.state_remove(&other, &["terraform_data.fast".to_owned()], &unbothered).await.unwrap_err();
        assert_eq!(
            (refused.reason, refused.lock.unwrap().id),
            (FailureReason::StateLocked, lock.id),
            "said in text, without JSON"
        );
        bench.cancel.cancel();
    });
    assert_eq!(applied.unwrap_err().reason, FailureReason::Cancelled);
}

#[tokio::test]
async fn tf_a_cancel_loses_no_state_and_leaves_no_lock() {
    let Some(bench) = Bench::real().await else { return };
    let root = bench.root(&[("backend.tf", LOCAL), ("main.tf", SLOW)]);
    bench.init(&root).await.unwrap();
    bench.plan(&root, PlanMode::Apply).await.unwrap();
    let (applied, ()) = tokio::join!(bench.apply(&root), async {
        bench.until(sleeping).await;
        bench.cancel.cancel();
    });
    let failure = applied.unwrap_err();
    assert_eq!((failure.reason, failure.interrupted, failure.lock.clone()), (FailureReason::Cancelled, true, None));
    assert_eq!(failure.applied.resources.iter().map(|done| done.address.as_str()).collect::<Vec<_>>(), ["terraform_data.fast"]);
    assert_eq!(failure.errored_state, None);
    let state: serde_json::Value = serde_json::from_str(&file_text(&root.directory.join("state.tfstate"))).unwrap();
    let names = state["resources"].as_array().unwrap().iter().map(|found| found["name"].clone()).collect::<Vec<_>>();
    assert_eq!(names, [json!("fast"), json!("slow")], "the interrupted one too");
    assert_eq!(Files.metadata(&root.directory.join(".state.tfstate.lock.info")), None);
    let started = bench.events.lock().unwrap().len();
    assert_eq!(bench.plan(&root, PlanMode::Apply).await.unwrap_err().reason, FailureReason::Cancelled);
    assert_eq!(bench.events.lock().unwrap().len(), started, "nothing starts after a cancel");
    let next = bench.terraform.plan(&root, PlanMode::Destroy, true, &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(next.prior.len(), 2);
}

#[tokio::test]
async fn tf_r35_taking_out_of_the_state_converges() {
    let Some(bench) = Bench::real().await else { return };
    let main = r#"resource "terraform_data" "a" { 
        for_each = toset(["x y", "z"]) 
    }"#;
    let root = bench.root(&[("backend.tf", LOCAL), ("main.tf", main)]);
    bench.deploy(&root).await;
    let addresses = [r#"terraform_data.a["x y"]"#.to_owned(), "terraform_data.never".to_owned()];
    let remove = || bench.terraform.state_remove(&root, &addresses, &bench.cancel);
    assert_eq!(remove().await.unwrap(), addresses[..1]);
    assert_eq!(remove().await.unwrap(), Vec::<String>::new(), "gone already is fine");
    assert_eq!(bench.plan(&root, PlanMode::Destroy).await.unwrap().counts.remove, 1);
    let unlock = bench.terraform.force_unlock(&root, "1234", &bench.cancel).await.unwrap_err();
    assert_eq!(unlock.reason, FailureReason::StateLocked);
}

/// An `http` backend that refuses the first `refusals` writes. Gives its address and what was stored.
fn http_backend(refusals: usize) -> (String, Arc<Mutex<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let stored = Arc::new(Mutex::new(Vec::new()));
    let (state, writes) = (Arc::clone(&stored), AtomicUsize::new(0));
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = BufReader::new(connection.unwrap());
            let head = connection.by_ref().lines().map(Result::unwrap).take_while(|line| !line.is_empty()).collect::<Vec<_>>();
            let length = head.iter().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or_default()];
            connection.read_exact(&mut body).unwrap();
            let mut state = state.lock().unwrap();
            let status = if head[0].starts_with("POST") {
                if writes.fetch_add(1, Ordering::Relaxed) < refusals {
                    "403 Forbidden"
                } else {
                    *state = body;
                    "200 OK"
                }
            } else if state.is_empty() {
                "204 No Content"
            } else {
                "200 OK"
            };
            let content = if head[0].starts_with("GET") && status == "200 OK" { state.clone() } else { Vec::new() };
            let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", content.len());
            let _ = connection.get_mut().write_all(&[answer.as_bytes(), &content].concat());
        }
    });
    (address, stored)
}

#[tokio::test]
async fn tf_a_state_that_could_not_be_saved_is_pushed_back_once() {
    let Some(bench) = Bench::real().await else { return };
    for (refusals, saved) in [(1, true), (99, false)] {
        let (address, stored) = http_backend(refusals);
        let main = format!("terraform {{ \nbackend \"http\" {{ \naddress = \"{address}\"\nretry_max = 0\n}}\n}}\n");
        let resource = r#"resource "terraform_data" "a" {}"#;
        let root = bench.root_named(&format!("refused-{refusals}"), &[("main.tf", &main), ("a.tf", resource)]);
        bench.init(&root).await.unwrap();
        bench.plan(&root, PlanMode::Apply).await.unwrap();
        let failure = bench.apply(&root).await.unwrap_err();
        assert_eq!(failure.reason, FailureReason::ApplyFailed);
        assert_eq!(bench.seen(|event| *event == Event::StatePushed { succeeded: saved }), 1);
        assert_eq!(failure.errored_state.is_some(), !saved);
        assert_eq!(failure.errored_state.is_some_and(|file| file_text(&file).contains("terraform_data")), !saved);
        assert_eq!(String::from_utf8_lossy(&stored.lock().unwrap()).contains("terraform_data"), saved);
    }
}
