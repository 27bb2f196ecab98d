# terraform_data stands in for the cloud's resources, so that this runs anywhere.

# Like an immutable secret of a cluster: a new password makes a new one.
resource "terraform_data" "database_url" {
  triggers_replace = format("postgres://invoices:%s@%s:%d", var.database.password, var.database.host, var.database.port)
}

resource "terraform_data" "worker" {
  input = { host = var.database.host, secret = terraform_data.database_url.id }
}

variable "database" {
  type = object({
    host     = string
    port     = number
    password = string
  })
}
