//! Plugins as people write them.

use serde_json::json;

use super::Case;

#[test]
fn a_queue_of_two_kinds() {
    let template = "resource \"aws_sqs_queue\" \"{{queue_name}}\" {\n  {% if queue_type == 'FIFO' %}\n  name       = \"{{queue_name}}.fifo\"\n  fifo_queue = true\n  {% else %}\n  name       = \"{{queue_name}}\"\n  {% endif %}\n  visibility_timeout_seconds = {{ timeout }}\n  redrive_policy = jsonencode({\n    deadLetterTargetArn = aws_sqs_queue.{{queue_name}}_dead.arn\n  })\n  policy = \"arn:aws:iam::${data.aws_caller_identity.{{ connections['iam-role-default'].name }}_{{queue_name}}.id}:role\"\n}\n";
    let case = Case::new(&json!({"queue_name": "orders-in", "queue_type": "FIFO", "timeout": "30"}))
        .computed("queue_name", "{{ inputs.queue_name | replace('-', '_') }}")
        .connection("iam-role-default", &json!({"name": "reader", "arn": "arn:r"}))
        .file("{{ connections['iam-role-default'].name }}-{{queue_name}}.tf", template);
    insta::assert_snapshot!(case.text("reader-orders_in.tf").lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n"), @r#"
    resource "aws_sqs_queue" "orders_in" {
      name       = "orders_in.fifo"
      fifo_queue = true
      visibility_timeout_seconds = 30
      redrive_policy = jsonencode({
        deadLetterTargetArn = aws_sqs_queue.orders_in_dead.arn
      })
      policy = "arn:aws:iam::${data.aws_caller_identity.reader_orders_in.id}:role"
    }
    "#);
}

#[test]
fn a_module_in_a_folder_with_texts_for_a_cluster() {
    let case = Case::new(&json!({"service": "orders", "port": "80", "ingress": true, "domain": "d.example", "hosts": ["a", "b"], "vars": {"A": "1"}}))
        .file("module-{{ service }}.tf", "module \"service_{{ service }}\" {\n  source = \"./app-tf\"\n  port = {{ inputs.port }}\n  {% if inputs.ingress == true %}\n  ingresses = [\n    { domain = \"{{ service }}.{{ inputs.domain }}\", hosts = [{% for h in hosts %}\"{{ h }}\"{% if not loop.last %}, {% endif %}{% endfor %}] }\n  ]\n  {% endif %}\n  env = {\n    {% for k, v in vars.items() %}\n    \"{{ k }}\" = \"{{ v }}\"\n    {% endfor %}\n  }\n}\n")
        .file("app-tf/templates/deployment.tpl", "name: ${service}\n%{~ for e in env ~}\n- ${ e.name }\n%{~ endfor ~}\n")
        .file("app-tf/outputs-{{ service }}.tf", "output \"name\" {\n  value = \"${var.service}-x\"\n}");
    insta::assert_snapshot!(case.text("module-orders.tf").lines().filter(|line| !line.trim().is_empty()).collect::<Vec<_>>().join("\n"), @r#"
    module "service_orders" {
      source = "./app-tf"
      port = 80
      ingresses = [
        { domain = "orders.d.example", hosts = ["a", "b"] }
      ]
      env = {
        "A" = "1"
      }
    }
    "#);
    assert_eq!(
        case.text("app-tf/templates/deployment.tpl"),
        "name: ${service}\n%{~ for e in env ~}\n- ${ e.name }\n%{~ endfor ~}\n"
    );
    assert_eq!(case.text("app-tf/outputs-orders.tf"), "output \"name\" {\n  value = \"${var.service}-x\"\n}");
}

#[test]
fn the_dialects_filters() {
    let template = "a = \"{{ x | to_kebab }} {{ x | snakecase }} {{ x | pascalcase }} {{ x | regex_replace('[^a-z]', '') }} {{ y | regex_replace('(a)(b)', '\\\\2\\\\1') }}\"\n\
                    b = \"{{ x.lower().replace('_', '-') }} {{ d.get('k', 'none') }} {{ x.split('_')[0] }} {{ '%s-%s' | format(x, 1) }} {{ 'v{}'.format(2) }}\"\n\
                    c = \"{{ none_given | default('z') }} {{ xs | map('upper') | join(',') }} {{ xs | length }} {{ xs | first }} {{ x | truncate(3, true, '') }}\"\n\
                    d = \"{{ x | trim | title }} {{ 7 // 2 }} {{ 7 / 2 }} {{ 'a' in xs }} {{ 'q p' | urlencode }}\"\n";
    let text = Case::new(&json!({"x": "My_queueName", "y": "abab", "xs": ["a", "b"], "d": {}}))
        .file("main.tf", template)
        .text("main.tf");
    insta::assert_snapshot!(text, @r#"
    a = "my-queue-name my_queue_name MyQueueName yqueueame baba"
    b = "my-queuename none My My_queueName-1 v2"
    c = "z A,B 2 a My_"
    d = "My_queuename 3 3.5 True q%20p"
    "#);
}
