output "service-url" {
  value = "https://{{ service_name }}.internal.acme.test"
}

output "service-token" {
  value     = "{{ service_name }}:{{ connections['database'].password }}"
  sensitive = true
}
