//! The outputs of the action: compact JSON, one line each.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use super::by_text;
use super::run::{by_address, by_alias};
use crate::domain::names::Alias;
use crate::domain::outcome::RunReport;
use crate::domain::record::{ChangeCounts, TaskStatus};

/// `connections`: address to type, generation, public attributes and handles of the sensitive ones.
pub fn connections(report: &RunReport) -> String {
    compact(&by_address(report.connections.values()))
}

/// `outputs`: alias to output to public attributes.
pub fn outputs(report: &RunReport) -> String {
    compact(&by_alias(report))
}

/// `changes`: how many resources were added, changed and removed; of a plan, how many would be.
pub fn changes(counts: ChangeCounts) -> String {
    compact(&counts)
}

/// `stale-consumers`: address to the consumers that are bound to an older generation of it.
pub fn stale_consumers(report: &RunReport) -> String {
    compact(&by_text(&report.stale))
}

/// `skipped`: the aliases that were not applied, because they needed none or could not be.
pub fn skipped(report: &RunReport) -> String {
    let skipped = report.run.main_tasks().filter(|task| task.status == TaskStatus::Skipped);
    compact(&skipped.map(|task| &task.alias).collect::<BTreeSet<&Alias>>())
}

/// On one line, without blanks.
pub(super) fn compact(value: &impl Serialize) -> String {
    serde_json::to_value(value).unwrap_or(Value::Null).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::early;
    use crate::report::fixtures::{counts, deployment, failed, succeeded};

    #[test]
    fn outputs_are_one_line_of_json_and_of_sensitive_attributes_only_the_handle() {
        insta::assert_snapshot!(connections(&succeeded()), @r#"
        {"retail/staging/orders/queue.main":{"attributes":{"arn":"arn:aws:sqs:eu-west-1:123456789012:orders-staging","url":"https://sqs.eu-west-1.amazonaws.com/123456789012/orders-staging"},"generation":2,"sensitive":{},"status":"ready","type":"aws-sqs-queue-conn","typeVersion":"1.0.0"},"retail/staging/orders/worker.endpoint":{"attributes":{"host":"10.0.0.7","port":8080},"generation":2,"sensitive":{"token":{"from":"state"}},"status":"ready","type":"http-endpoint-conn","typeVersion":"1.0.0"}}
        "#);
        insta::assert_snapshot!(outputs(&succeeded()), @r#"
        {"queue":{"main":{"arn":"arn:aws:sqs:eu-west-1:123456789012:orders-staging","url":"https://sqs.eu-west-1.amazonaws.com/123456789012/orders-staging"}},"worker":{"endpoint":{"host":"10.0.0.7","port":8080}}}
        "#);
        insta::assert_snapshot!(changes(counts(1, 2, 3)), @r#"
        {"add":1,"change":2,"remove":3}
        "#);
        insta::assert_snapshot!(stale_consumers(&succeeded()), @r#"
        {"retail/staging/orders/queue.main":["retail/staging/billing/worker.orders"]}
        "#);
        insta::assert_snapshot!(skipped(&failed()), @r#"
        ["dashboard"]
        "#);
    }

    #[test]
    fn what_will_be_published_is_known_before_the_apply() {
        insta::assert_snapshot!(early::connections(&deployment()), @r#"
        {"retail/staging/orders/queue.main":{"attributes":{},"generation":null,"sensitive":{"key":{"from":"state"}},"status":"planned","type":"aws-sqs-queue-conn","typeVersion":"1.0.0"}}
        "#);
        insta::assert_snapshot!(early::outputs(&deployment()), @r#"
        {"queue":{"main":{}}}
        "#);
    }

    #[test]
    fn early_connections_have_the_fields_of_later_ones() {
        let fields = |text: &str| -> BTreeSet<String> {
            let value: Value = serde_json::from_str(text).unwrap();
            value["retail/staging/orders/queue.main"].as_object().unwrap().keys().cloned().collect()
        };
        assert_eq!(fields(&early::connections(&deployment())), fields(&connections(&succeeded())));
    }
}
