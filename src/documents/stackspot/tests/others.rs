use std::fmt::Write as _;

use super::{fixture, said};
use crate::documents::{CaseMode, connection_type, stackspot_case};
use crate::domain::names::AttributeName;

#[test]
fn a_type_may_be_a_mapping_of_attributes() {
    let read = connection_type("types/aws-rds-conn.yaml", fixture!("types/aws-rds-conn.yaml")).unwrap();
    insta::assert_snapshot!(serde_yaml::to_string(&read).unwrap(), @r"
    apiVersion: tieline/v1
    kind: ConnectionInterfaceType
    name: aws-rds-conn
    version: 1.1.0
    description: A relational database
    orientation: link
    attributes:
      properties:
        encrypted:
          type: boolean
        host:
          type: string
        pass:
          type: string
          x-sensitive: true
        port:
          type: number
        replicas:
          items:
            properties:
              host:
                type: string
              pass:
                type: string
                x-sensitive: true
            type: object
          type: array
        subnets:
          items:
            type: string
          type: array
        tags:
          type: object
        user:
          type: string
      required:
      - host
      - pass
      type: object
    ");
    assert_eq!(read.sensitive().iter().map(AttributeName::as_str).collect::<Vec<_>>(), ["pass", "replicas"]);
}

#[test]
fn a_type_may_be_a_list_of_attributes() {
    let read = connection_type("types/aws-queue-conn.yaml", fixture!("types/aws-queue-conn.yaml")).unwrap();
    insta::assert_snapshot!(serde_yaml::to_string(&read).unwrap(), @r"
    apiVersion: tieline/v1
    kind: ConnectionInterfaceType
    name: aws-queue-conn
    version: 2.0.0
    description: A queue
    orientation: link
    attributes:
      properties:
        access_key:
          type: string
          x-sensitive: true
        arn:
          type: string
        max_messages:
          type: integer
        policy: {}
      required:
      - arn
      - access_key
      type: object
    ");
}

#[test]
fn what_a_type_cannot_be_is_said() {
    let cases = [
        "kind: connection-interface\nmetadata: {name: a}\nspec: {outputs: {host: {type: colour}}}\n",
        "kind: connection-interface\nmetadata: {name: a, version: new}\nspec: {outputs: {'a b': {type: string}}}\n",
        "kind: connection-interface\nmetadata: {}\nspec: {outputs: []}\n",
        "kind: connection-interface\nmetadata: {name: a}\nspec: {outputs: [{type: string}, {name: a}, {name: a}]}\n",
    ];
    let mut report = String::new();
    for text in cases {
        let problems = connection_type("a.yaml", text.as_bytes()).unwrap_err();
        let _ = writeln!(report, "{}", said(&problems).join("\n"));
    }
    insta::assert_snapshot!(report, @r"
    there is no type of attribute `colour`
    `new` is not a version
    `a b` is not a valid attribute name: use 1 to 63 letters, digits, `-` and `_`, starting with a letter
    the type has no `name`
    an attribute has no `name`
    there are two attributes `a`
    ");
}

#[test]
fn a_deploy_case_has_the_answers_of_its_environment_and_the_values_of_connections() {
    let text = fixture!("queue-v2/tests/deploy-fifo/test-case.yaml");
    let (case, warnings) = stackspot_case("tests/deploy-fifo/test-case.yaml", text).unwrap();
    assert_eq!((case.mode, case.environment.as_deref()), (CaseMode::Deploy, Some("production")));
    let region = crate::domain::names::InputName::new("region").unwrap();
    assert_eq!(case.inputs[&region], "us-east-1");
    assert_eq!(case.requires["worker_role"].values["name"], "billing");
    assert_eq!(case.requires["alarms"].values["arn"], "arn:aws:sns:us-east-1:000000000000:on-call");
    assert_eq!(case.generates["dead-letters"].selected, "late-orders-dead");
    assert_eq!(said(&warnings), Vec::<&str>::new());
}

#[test]
fn an_apply_case_is_told_apart() {
    let (case, _) = stackspot_case("t/test-case.yaml", fixture!("queue-v2/tests/apply-readme/test-case.yaml")).unwrap();
    assert_eq!((case.mode, case.requires.len()), (CaseMode::Apply, 0));
}

#[test]
fn a_case_may_choose_connections_by_inputs() {
    let text = "kind: test\nspec:\n  mode: deploy\n  inputs: {db: {stk-type: required-connection, selected: x, type: t, outputs: {host: h}}}\n";
    let (case, _) = stackspot_case("test-case.yaml", text.as_bytes()).unwrap();
    assert_eq!(case.requires["db"].values["host"], "h");
}

#[test]
fn what_a_case_cannot_be_is_said() {
    let cases = [
        "kind: plugin\nspec: {}\n",
        "kind: test\nspec: {type: starter, mode: render}\n",
        "kind: test\nspec: {mode: deploy, inputs-envs: {region: {prd: x}}}\n",
        "kind: test\nspec: {mode: deploy, requires: {connections: [{type: t, outputs: [{value: 1}]}, {type: t}]}}\n",
    ];
    let mut report = String::new();
    for text in cases {
        let problems = stackspot_case("test-case.yaml", text.as_bytes()).unwrap_err();
        let _ = writeln!(report, "{}", said(&problems).join("\n"));
    }
    insta::assert_snapshot!(report, @r"
    this is not a test case: those are of the kind `test`
    test cases of a `starter` are not read: plugins alone are deployed
    `render` is not a mode of test cases
    `region` has a value for each environment, and the case does not say which one it is for
    an attribute has no `name` or no `value`
    there are two connections `t`
    ");
}
