# terraform_data stands in for the cloud's resources, so that this runs anywhere.

resource "terraform_data" "server" {
  input = "${var.tieline.name_prefix}-pg.db.acme.test"
}

# Stands in for random_password: made once, then kept.
resource "terraform_data" "password" {
  triggers_replace = sensitive(uuid())

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

# Where this runs, and the start of every name: supplied by Tieline.
variable "tieline" {
  type = object({
    name_prefix = string
    tags        = map(string)
  })
}

output "host" {
  value = terraform_data.server.output
}

output "port" {
  value = 5432
}

output "password" {
  value     = sha256(terraform_data.password.triggers_replace)
  sensitive = true
}
