# terraform_data stands in for the cloud's resources, so that this runs anywhere.

# Stands in for random_password: made once, then kept. In `triggers_replace`, because terraform_data copies its `input` into
# `output`, where it is no longer marked as sensitive.
resource "terraform_data" "password" {
  triggers_replace = sensitive(uuid())

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

resource "terraform_data" "server" {
  input = {
    name       = local.server
    class      = local.classes[var.size]
    subnet_ids = var.network.subnet_ids
    allow_from = var.network.cidr
    tags       = var.tieline.tags
  }
}

resource "terraform_data" "database" {
  input = {
    server = terraform_data.server.id
    name   = var.name
    owner  = local.username
  }
}

locals {
  classes  = { micro = "db.t4g.micro", small = "db.t4g.small", large = "db.r7g.large" }
  server   = "${var.tieline.name_prefix}-pg"
  endpoint = "${local.server}.${substr(sha1(terraform_data.server.id), 0, 12)}.${var.network.region}.rds.acme.test"
  username = "${var.name}_owner"
  password = substr(sha256(terraform_data.password.triggers_replace), 0, 32)
}
