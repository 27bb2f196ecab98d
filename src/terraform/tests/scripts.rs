//! On scripts that behave as a terraform in trouble does.

use super::*;
use crate::domain::failure::FailureReason;
use crate::domain::record::TerraformBuild;

#[tokio::test]
async fn a_fast_stream_loses_nothing() {
    let bench = Bench::script(
        r#"seq 1 20000 | sed 's/.*/{"type":"apply_complete","hook":{"resource":{"addr":"x.y[&]"},"action":"create","elapsed_seconds":1}}/'
           seq 1 500 | sed 's/.*/{"type":"diagnostic","diagnostic":{"severity":"warning","summary":"w&","detail":""}}/'
           seq 1 500 | sed 's/.*/noise &/'; exit 1"#,
    )
    .await;
    let failure = bench.apply(&bench.root(&[("main.tf", "")])).await.unwrap_err();
    assert_eq!(bench.events.lock().unwrap().len(), 21_000);
    assert_eq!(failure.applied.counts.add, 20_000);
    assert_eq!((failure.applied.warnings.len(), failure.tail.len()), (50, 20), "memory stays bounded");
    assert_eq!(failure.tail.last().unwrap(), "noise 500");
    assert_eq!(failure.diagnostics[0].summary, "terraform ended with code 1 and no error");
}

#[tokio::test]
async fn a_crash_is_no_plan_with_changes() {
    let bench = Bench::script("echo 'panic: runtime error' >&2; exit 2").await;
    let failure = bench.plan(&bench.root(&[("main.tf", "")]), PlanMode::Apply).await.unwrap_err();
    assert_eq!((failure.reason, failure.diagnostics[0].detail.as_str()), (FailureReason::PlanFailed, "panic: runtime error"));
}

const DOWNLOAD_FAILED: &str = r#"echo '{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Failed to install provider","detail":"bad gateway: 502"}}'"#;

#[tokio::test]
async fn r28_init_is_tried_again_for_a_failed_download_and_each_try_is_said() {
    let body = format!("echo x >> tries; if [ $(wc -l < tries) -ge 3 ]; then exit 0; fi; {DOWNLOAD_FAILED}; exit 1");
    let bench = Bench::script(&body).await;
    let root = bench.root(&[("main.tf", "")]);
    bench.init(&root).await.unwrap();
    assert_eq!(bench.seen(|event| matches!(event, Event::Retrying { .. })), 2);
}

#[tokio::test]
async fn r28_init_gives_up_and_apply_is_never_tried_again() {
    let bench = Bench::script(&format!("echo x >> tries; {DOWNLOAD_FAILED}; exit 1")).await;
    let root = bench.root(&[("main.tf", "")]);
    assert_eq!(bench.init(&root).await.unwrap_err().reason, FailureReason::InitFailed);
    assert_eq!(file_text(&root.directory.join("tries")).lines().count(), 3);
    assert_eq!(bench.apply(&root).await.unwrap_err().reason, FailureReason::ApplyFailed);
    assert_eq!(file_text(&root.directory.join("tries")).lines().count(), 4);
}

#[tokio::test]
async fn what_one_root_downloaded_is_handed_to_the_next_and_taken_back_where_it_does_not_fit() {
    let body = r#"
        if [ -e .terraform.lock.hcl ]; then
          if [ -e picky ]; then
            echo '{"type":"diagnostic","diagnostic":{"severity":"error","summary":"Failed to query available provider packages","detail":"locked provider x 1.0.0 does not match configured version constraint ~> 2.0"}}'
            exit 1
          fi
          echo handed-over > how
        else
          echo alone > how; basename "$PWD" > .terraform.lock.hcl
        fi"#;
    let bench = Bench::script(body).await;
    let table = [
        ("first", &[][..], "alone", "first\n"),
        ("second", &[], "handed-over", "first\n"),
        ("third", &[("picky", "")], "alone", "third\n"),
    ];
    for (name, files, how, lock_file) in table {
        let providers = ProviderNeeds::from(["hashicorp/aws".to_owned()]);
        let root = Root { providers, ..bench.root_named(name, &[&[("main.tf", "")], files].concat()) };
        let left = bench.init(&root).await.unwrap();
        assert_eq!(left.as_deref(), Some(lock_file), "{name}");
        assert_eq!(file_text(&root.directory.join("how")).trim(), how, "{name}");
    }
}

#[tokio::test]
async fn r24_a_known_build_is_not_asked_again() {
    let bench = Bench::script("exit 1").await;
    let build = bench.terraform.build().clone();
    assert_eq!(build.version, "1.11.4");
    let world = crate::world::os::world().unwrap();
    let binary = locate(&world, Some(&build.path)).unwrap();
    let settings =
        Settings { plugin_cache: bench.folder.path().join("providers"), terraform_parallelism: 1, lock_timeout: Duration::ZERO };
    let known = TerraformBuild { version: "1.9.9".into(), ..build };
    let opened = Terraform::open(&world, binary, std::slice::from_ref(&known), settings, &bench.cancel).await.unwrap();
    assert_eq!(opened.build(), &known, "the record was believed, nothing was started");
}

#[tokio::test]
async fn a_binary_that_went_away_is_said() {
    let bench = Bench::script("exit 0").await;
    Files.remove(&bench.folder.path().join("terraform")).unwrap();
    let failure = bench.init(&bench.root(&[("main.tf", "")])).await.unwrap_err();
    assert_eq!(
        (failure.reason, failure.diagnostics[0].summary.as_str()),
        (FailureReason::TerraformMissing, "terraform did not start")
    );
}
