# {{ service_name }}: rendered for every apply
resource "terraform_data" "{{ resource_name }}" {
  input = {
    network  = "{{ connections['net'].id }}"
    cidr     = "{{ connections['net'].cidr }}"
    replicas = {{ replicas }}
    dsn      = "postgres://{{ connections['database'].user }}:{{ connections['database'].password }}@{{ connections['database'].host }}/{{ connections['database'].name }}"
    settings = file("${path.module}/files/{{ service_name }}.conf.tpl")
  }
}
{% if cache %}
resource "terraform_data" "cache" {
  input = "{{ service_name }}-cache"
}
{% endif %}
