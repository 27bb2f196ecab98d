output "endpoint" {
  value = local.endpoint
}

output "port" {
  value = 5432
}

output "database" {
  value = var.name
}

output "username" {
  value = local.username
}

output "admin_password" {
  value     = local.password
  sensitive = true
}
