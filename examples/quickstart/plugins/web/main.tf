# terraform_data stands in for the cloud's resources, so that this runs anywhere.

# Like an immutable secret of a cluster: a new password makes a new one. Not `input`, which terraform_data copies into `output`,
# where it is no longer marked as sensitive.
resource "terraform_data" "database_url" {
  triggers_replace = format(
    "postgres://%s:%s@%s:%d/%s",
    var.database.username, urlencode(var.database.password), var.database.host, var.database.port, var.database.database,
  )
}

resource "terraform_data" "service" {
  input = {
    name       = local.name
    image      = var.image
    replicas   = var.replicas
    subnet_ids = var.network.subnet_ids
    secret     = terraform_data.database_url.id
    tags       = var.tieline.tags
  }
}

resource "terraform_data" "record" {
  input = {
    name   = local.host
    target = terraform_data.service.id
  }
}

locals {
  name = "${var.tieline.name_prefix}-web"
  host = "${local.name}.${var.domain}"
}
