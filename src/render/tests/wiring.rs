use serde_json::json;

use super::{Scene, input, messages};

fn inputs(names: &[&str]) -> serde_json::Value {
    let properties: serde_json::Map<_, _> = names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
    json!({"inputs": {"type": "object", "properties": properties}})
}

#[test]
fn a_variable_takes_the_input_of_its_name_also_with_dashes() {
    let mut scene = Scene::new(inputs(&["size", "disk-size"]), "variable \"size\" {}\nvariable \"disk_size\" {}");
    scene.inputs = [(input("size"), json!("s")), (input("disk-size"), json!(3))].into();
    assert_eq!(scene.main()["module"]["plugin"], json!({"source": "./plugin", "size": "s", "disk_size": 3}));
}

#[test]
fn what_is_left_without_a_value_keeps_the_variables_default() {
    let scene = Scene::new(inputs(&["size"]), "variable \"size\" { default = \"small\" }");
    assert_eq!(scene.main()["module"]["plugin"], json!({"source": "./plugin"}));
    let problems = Scene::new(inputs(&["size"]), "variable \"size\" {}").render().unwrap_err();
    assert_eq!(messages(&problems), "variable `size` needs a value, and the input `size` has no value");
}

#[test]
fn every_gap_is_reported_at_once_with_the_nearest_name() {
    let scene = Scene::new(inputs(&["disk-size", "colour"]), "variable \"disksize\" {}\nvariable \"zone\" {}\n");
    let problems = scene.render().unwrap_err();
    let text: Vec<String> = problems.0.iter().map(|p| format!("{} ({})", p.message, p.help.join("; "))).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    variable `disksize` has no default, and no input or slot supplies it (did you mean `disk-size`? map it in `terraform.variables`, or rename one of them)
    variable `zone` has no default, and no input or slot supplies it (declare an input or slot of its name, map it in `terraform.variables`, or give it a default)
    the input `colour` is taken by no variable of the module (declare `variable "colour"`, map it in `terraform.variables`, or remove the input)
    the input `disk-size` is taken by no variable of the module (did you mean the variable `disksize`? map it in `terraform.variables`, or rename one of them)
    "#);
}

#[test]
fn what_only_a_step_takes_needs_no_variable() {
    let mut fields = inputs(&["size"]);
    fields["requires"] = json!({"network": {"type": "aws-vpc-conn", "optional": true}});
    fields["terraform"] = json!({"variables": {"host": {"step": "make.host"}}});
    let inputs = json!([
        {"name": "size", "valueFromInput": true, "as": {"env": "SIZE"}},
        {"name": "id", "valueFromConnection": "network.id", "as": {"env": "ID"}}
    ]);
    let outputs = json!([{"name": "host", "valueFromPath": "/out/host"}]);
    fields["steps"] = json!({"create": [{"name": "make", "script": "#!/bin/sh", "inputs": inputs, "outputs": outputs}]});
    let problems = Scene::new(fields, "variable \"host\" {}").render().unwrap_err();
    assert_eq!(messages(&problems), "variable `host` needs a value, and no step has left `make.host`");
}

#[test]
fn two_candidates_for_one_variable_are_an_error_that_a_mapping_settles() {
    let mut fields = inputs(&["a-b", "a_b"]);
    let text = "variable \"a_b\" { default = 1 }\nvariable \"c\" { default = 1 }";
    let problems = Scene::new(fields.clone(), text).render().unwrap_err();
    assert_eq!(messages(&problems), "variable `a_b` could take the input `a-b` or the input `a_b`");
    fields["terraform"] = json!({"variables": {"a_b": {"input": "a-b"}, "c": {"input": "a_b"}}});
    assert!(Scene::new(fields, text).render().is_ok());
}

#[test]
fn r10_a_mapping_to_what_does_not_exist_is_refused() {
    let mut fields = inputs(&["size"]);
    fields["requires"] = json!({"network": {"type": "aws-vpc-conn", "optional": true}});
    fields["terraform"] = json!({"variables": {
        "sise": {"input": "size"}, "zone": {"input": "sizes"}, "net": {"connection": "netwrk.id"}
    }});
    let text = "variable \"size\" {}\nvariable \"zone\" {}\nvariable \"net\" {}\nvariable \"network\" { default = null }";
    let problems = Scene::new(fields, text).render().unwrap_err();
    let text: Vec<String> = problems.0.iter().map(|p| format!("{} ({})", p.message, p.help.join("; "))).collect();
    insta::assert_snapshot!(text.join("\n"), @r#"
    the plugin has no slot `netwrk` (did you mean `network`?)
    the module has no variable `sise` (did you mean `size`?)
    the plugin has no input `sizes` (did you mean `size`?)
    "#);
}
