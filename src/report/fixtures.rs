//! Reports as they really come, for the tests of what is drawn from them.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};

use super::Surroundings;
use crate::domain::address::{Address, Place};
use crate::domain::change::{AttributeChange, PlannedResource, Progress, Shown};
use crate::domain::connection::ConnectionRecord;
use crate::domain::diagnostic::{Diagnostic, Pointer, Problems};
use crate::domain::failure::FailureReason;
use crate::domain::names::{Alias, Digest, RunId};
use crate::domain::outcome::{PlanFingerprint, PlanReport, PlannedTask, RunReport, Verdict, Wire};
use crate::domain::record::{ChangeCounts, RunRecord, RunStatus, RunType, TaskRecord, TaskStatus, TaskType};

pub(super) fn surroundings() -> Surroundings {
    Surroundings {
        command: "deploy".to_owned(),
        title: "retail/staging/orders".to_owned(),
        run_url: Some("https://github.com/acme/orders/actions/runs/17".to_owned()),
        commit: Some("8f3c2d1e9b7a6f5e4d3c2b1a0f9e8d7c6b5a4f3e".to_owned()),
        terraform: Some("Terraform 1.11.4, /github/runner_temp/terraform".to_owned()),
    }
}

pub(super) fn place() -> Place {
    Place { workspace: "retail".parse().unwrap(), environment: "staging".parse().unwrap(), deployable: "orders".parse().unwrap() }
}

pub(super) fn alias(name: &str) -> Alias {
    name.parse().unwrap()
}

pub(super) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::seconds(seconds)
}

pub(super) fn counts(add: u64, change: u64, remove: u64) -> ChangeCounts {
    ChangeCounts { add, change, remove }
}

pub(super) fn task(name: &str, status: TaskStatus, because: Option<&str>, changes: ChangeCounts, took: i64) -> TaskRecord {
    TaskRecord {
        id: format!("deploy:{name}"),
        alias: alias(name),
        task_type: TaskType::Deploy,
        status,
        because: because.map(str::to_owned),
        started: (took > 0).then(|| at(1)),
        ended: Some(at(1 + took)),
        changes,
    }
}

pub(super) fn resource(action: &str, address: &str, attributes: Vec<AttributeChange>) -> PlannedResource {
    PlannedResource {
        address: address.to_owned(),
        action: action.to_owned(),
        previous: None,
        progress: Progress::Planned,
        attributes,
        more: 0,
    }
}

pub(super) fn attribute(path: &str, before: Shown, after: Shown) -> AttributeChange {
    AttributeChange { path: path.to_owned(), before, after, forces_replacement: false }
}

pub(super) fn json_text(value: Value) -> Shown {
    Shown::Json(value.to_string())
}

pub(super) fn connection(
    address_text: &str,
    type_name: &str,
    attributes: Value,
    sensitive: Value,
) -> (Address, ConnectionRecord) {
    let record = json!({
        "schemaVersion": 1, "address": address_text, "uid": "0123", "type": type_name, "typeVersion": "1.0.0",
        "attributes": attributes, "sensitive": sensitive, "digest": Digest::of(b""), "generation": 2, "status": "ready",
        "producer": {"kind": "Application", "plugin": "sqs-queue", "version": "1.2.0", "digest": Digest::of(b""), "run": "r", "commit": null},
    });
    (address(address_text), serde_json::from_value(record).unwrap())
}

pub(super) fn wiring() -> Vec<Wire> {
    let wire = |source: &str, type_name: &str, taker: &str, slot: &str| Wire {
        source: address(source),
        type_name: type_name.parse().unwrap(),
        alias: alias(taker),
        slot: slot.parse().unwrap(),
    };
    vec![
        wire("retail/staging/orders/queue.main", "aws-sqs-queue-conn", "worker", "source"),
        wire("platform/staging/network/vpc.vpc", "aws-vpc-conn", "worker", "network"),
        wire("retail/staging/orders/worker.endpoint", "http-endpoint-conn", "dashboard", "api"),
    ]
}

/// The changes of a queue that is new and of a worker that is replaced.
pub(super) fn changes() -> BTreeMap<Alias, Vec<PlannedResource>> {
    let mut replaced = attribute("instance_type", json_text(json!("t3.small")), json_text(json!("t3.large")));
    replaced.forces_replacement = true;
    let queue = vec![
        resource(
            "create",
            "aws_sqs_queue.this",
            vec![
                attribute("arn", Shown::Absent, Shown::Unknown),
                attribute("id", Shown::Absent, Shown::Unknown),
                attribute("name", Shown::Absent, json_text(json!("orders-staging"))),
                attribute("tags.Team", Shown::Absent, json_text(json!("retail"))),
            ],
        ),
        resource(
            "update",
            "aws_sqs_queue_policy.this[\"read\"]",
            vec![
                attribute("policy", json_text(json!("{\"Version\":\"2012-10-17\"}")), Shown::Unknown),
                attribute("token", Shown::Sensitive, Shown::Sensitive),
            ],
        ),
    ];
    let worker = vec![resource("replace", "aws_instance.worker", vec![replaced]), resource("delete", "aws_eip.old", Vec::new())];
    BTreeMap::from([(alias("queue"), queue), (alias("worker"), worker)])
}

pub(super) fn apply_failed() -> Diagnostic {
    Diagnostic::error(
        FailureReason::ApplyFailed,
        "creating EC2 Instance: operation error EC2: RunInstances, https response error StatusCode: 403, UnauthorizedOperation",
    )
    .at("tieline.yaml", Pointer::keys(["plugins", "worker"]).at_key())
    .note("in the plugin, main.tf:12:3")
    .note("with module.plugin.aws_instance.worker")
    .help("correct the cause and deploy again; what was created is in the state")
}

fn run(status: RunStatus, failure_reason: Option<FailureReason>, tasks: Vec<TaskRecord>) -> RunRecord {
    RunRecord {
        schema_version: 1,
        id: RunId::from_parts(1_800_000_000_000, 7),
        run_type: RunType::Deploy,
        status,
        failure_reason,
        tasks,
        version_tag: "8f3c2d1e9b7a".parse().unwrap(),
        actor: Some("ana".to_owned()),
        repository: Some("acme/orders".to_owned()),
        commit: None,
        run_url: None,
        plan_fingerprint: None,
        started: at(0),
        ended: Some(at(94)),
    }
}

/// A deploy that went well.
pub(super) fn succeeded() -> RunReport {
    let mut changes = changes();
    changes.values_mut().flatten().for_each(|resource| resource.progress = Progress::Done);
    RunReport {
        place: place(),
        run: run(
            RunStatus::Succeeded,
            None,
            vec![
                task("queue", TaskStatus::Succeeded, None, counts(1, 1, 0), 4),
                task("worker", TaskStatus::Succeeded, None, counts(1, 0, 2), 71),
                task("dashboard", TaskStatus::Skipped, Some("unchanged"), counts(0, 0, 0), 0),
            ],
        ),
        problems: Problems::default(),
        changes,
        connections: BTreeMap::from([
            connection(
                "retail/staging/orders/queue.main",
                "aws-sqs-queue-conn",
                json!({"arn": "arn:aws:sqs:eu-west-1:123456789012:orders-staging", "url": "https://sqs.eu-west-1.amazonaws.com/123456789012/orders-staging"}),
                json!({}),
            ),
            connection(
                "retail/staging/orders/worker.endpoint",
                "http-endpoint-conn",
                json!({"host": "10.0.0.7", "port": 8080}),
                json!({"token": {"from": "state"}}),
            ),
        ]),
        stale: BTreeMap::from([(
            address("retail/staging/orders/queue.main"),
            vec!["retail/staging/billing/worker.orders".to_owned()],
        )]),
        retained: Vec::new(),
        wiring: wiring(),
    }
}

/// A deploy whose second task failed.
pub(super) fn failed() -> RunReport {
    let problem = apply_failed();
    let mut report = succeeded();
    let because = problem.message.clone();
    report.run = run(
        RunStatus::RuntimeError,
        Some(FailureReason::ApplyFailed),
        vec![
            task("queue", TaskStatus::Succeeded, None, counts(1, 1, 0), 4),
            task("worker", TaskStatus::Failed, Some(&because), counts(0, 0, 1), 71),
            task("dashboard", TaskStatus::Skipped, Some("`worker` did not succeed"), counts(0, 0, 0), 0),
        ],
    );
    report.changes.get_mut(&alias("worker")).unwrap()[0].progress = Progress::Open;
    report.problems = Problems(vec![problem.clone(), problem]);
    report.stale.clear();
    report
}

/// A plan that replaces something, which a deploy would refuse.
pub(super) fn planned() -> PlanReport {
    let mut changes = changes();
    let changes_of =
        |name: &str, changes: &mut BTreeMap<Alias, Vec<PlannedResource>>| Verdict::Changes(changes.remove(&alias(name)).unwrap());
    let planned = |name: &str, verdict, counts| PlannedTask { alias: alias(name), task: TaskType::Deploy, verdict, counts };
    let refusal = Diagnostic::error(FailureReason::NeedsApproval, "the plan of `worker` deletes or replaces 2 resources")
        .at("tieline.yaml", Pointer::keys(["plugins", "worker"]).at_key())
        .note("replace module.plugin.aws_instance.worker")
        .note("delete module.plugin.aws_eip.old")
        .help("review `tieline plan`; if this is wanted, deploy with `--allow-destroy` or `--approved-plan <fingerprint>`");
    PlanReport {
        place: place(),
        tasks: vec![
            planned("queue", changes_of("queue", &mut changes), counts(1, 1, 0)),
            planned("worker", changes_of("worker", &mut changes), counts(1, 0, 2)),
            planned("dashboard", Verdict::Deferred { because: "worker".to_owned() }, counts(0, 0, 0)),
        ],
        fingerprint: PlanFingerprint::of(&place(), &BTreeMap::from([("deploy:queue".to_owned(), Digest::of(b"queue"))])),
        problems: Problems::default(),
        refusals: refusal.into(),
        impact: BTreeMap::from([(
            address("retail/staging/orders/worker.endpoint"),
            vec!["retail/staging/billing/gateway.orders".to_owned(), "retail/staging/shop/web.orders".to_owned()],
        )]),
        wiring: wiring(),
    }
}
