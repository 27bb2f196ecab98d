output "url" {
  value = "https://${terraform_data.record.output.name}"
}
