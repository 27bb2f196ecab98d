//! Pages that are too long say less, and say so.

use crate::domain::change::Shown;
use crate::domain::diagnostic::{Diagnostic, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::outcome::{RunReport, Verdict};
use crate::report::fixtures::{alias, attribute, json_text, planned, resource, succeeded, surroundings};
use crate::report::{comment, summary};

/// A deploy of a thousand resources with ten values each.
fn large() -> RunReport {
    let mut report = succeeded();
    let values = || (0..10).map(|at| attribute(&format!("tags.key{at}"), Shown::Absent, json_text(&"value".into()))).collect();
    let resources = (0..1_000).map(|at| resource("create", &format!("aws_sqs_queue.this[{at}]"), values())).collect();
    report.changes.insert(alias("queue"), resources);
    report
}

#[test]
fn what_changes_inside_resources_goes_first_then_resources_then_the_rest() {
    let report = large();
    let page = |limit: usize| comment::run(&report, &surroundings(), limit);
    let rich = page(1_000_000);
    assert!(rich.contains("tags.key9") && !rich.contains("no room"));
    let resources = page(65_536);
    assert!(resources.len() <= 65_536 && resources.contains("aws_sqs_queue.this[999]") && !resources.contains("tags.key9"));
    assert!(resources.ends_with(
        "There was no room for what changes inside resources. All of it is in the [summary and log of the workflow run](https://github.com/acme/orders/actions/runs/17).\n"
    ));
    let counts = page(8_000);
    assert!(counts.contains("1 created") && counts.contains("url = ") && !counts.contains("aws_sqs_queue.this[0]"));
    assert!(counts.contains("no room for the single resources"));
}

#[test]
fn the_barest_page_has_the_outcome_and_the_tasks() {
    insta::assert_snapshot!(comment::run(&large(), &surroundings(), 1_200), @r#"
    ### ✅ Deploy succeeded: `orders` in `retail/staging`

    2 created, 1 changed, 2 destroyed · 1m 34s · release `8f3c2d1e9b7a` · commit `8f3c2d1e` · [workflow run](https://github.com/acme/orders/actions/runs/17)

    | Applied plugin | Result | Changes | Time | Why |
    |---|---|---|---|---|
    | `queue` | ✅ deployed | 1 created, 1 changed | 4.0s |  |
    | `worker` | ✅ deployed | 1 created, 2 destroyed | 1m 11s |  |
    | `dashboard` | ➖ unchanged |  |  |  |

    2 connections are published.

    #### Consumers that are behind

    They were applied with an older generation than there is now. Deploy them to take in the new one.

    | Connection | Consumers |
    |---|---|
    | `retail/staging/orders/queue.main` | `retail/staging/billing/worker.orders` |

    run `01MCC5RM000000000000000007` · `Terraform 1.11.4, /github/runner_temp/terraform`

    There was no room for more than the most important. All of it is in the [summary and log of the workflow run](https://github.com/acme/orders/actions/runs/17).
    "#);
}

#[test]
fn even_the_barest_page_is_cut_where_it_is_too_long() {
    insta::assert_snapshot!(summary::run(&large(), &surroundings(), 420), @r#"
    ### ✅ Deploy succeeded: `orders` in `retail/staging`

    2 created, 1 changed, 2 destroyed · 1m 34s · release `8f3c2d1e9b7a` · commit `8f3c2d1e` · [workflow run](https://github.com/acme/orders/actions/runs/17)

    There was no room for more than the most important. All of it is in the file that the output `result-file` names.
    "#);
    assert_eq!(summary::run(&large(), &surroundings(), 10), "");
}

#[test]
fn a_hundred_problems_are_told_in_part() {
    let problems = (0..100).map(|at| Diagnostic::error(FailureReason::InvalidDocument, format!("the plugin {at} is wrong")));
    let page = comment::refused(&Problems(problems.collect()), &surroundings(), 65_536);
    assert!(page.contains("the plugin 19 is wrong") && !page.contains("the plugin 20 is wrong"));
    assert!(page.ends_with("and 80 more, which the log has\n"), "{page}");
}

#[test]
fn the_same_problem_is_told_once_and_a_cancel_before_what_it_caused() {
    let failed = Diagnostic::error(FailureReason::ApplyFailed, "it broke");
    let cancelled = Diagnostic::error(FailureReason::Cancelled, "the run was cancelled");
    let page = comment::refused(&Problems(vec![failed.clone(), cancelled, failed]), &surroundings(), 65_536);
    assert_eq!(page.matches("it broke").count(), 1);
    assert!(page.find("was cancelled") < page.find("it broke"));
}

#[test]
fn a_picture_that_nobody_could_read_is_left_out() {
    let mut report = planned();
    let wire = report.wiring[0].clone();
    report.wiring =
        (0..70).map(|at| crate::domain::outcome::Wire { alias: alias(&format!("worker-{at}")), ..wire.clone() }).collect();
    let page = summary::plan(&report, &surroundings(), 1_000_000);
    assert!(page.contains("The picture is left out for its size (71 nodes, 70 edges).") && !page.contains("mermaid"), "{page}");
}

#[test]
fn a_plan_that_changes_nothing_says_so_first() {
    let mut report = planned();
    for task in &mut report.tasks {
        (task.verdict, task.counts) = (Verdict::Unchanged, crate::domain::record::ChangeCounts::default());
        task.rebindings.clear();
    }
    report.refusals = Problems::default();
    let page = comment::plan(&report, &surroundings(), 65_536);
    assert!(page.starts_with("### ✅ Plan without changes: `orders` in `retail/staging`\n\nno resource changes · "), "{page}");
}
