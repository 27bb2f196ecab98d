# terraform_data stands in for the cloud's resources, so that this runs anywhere.

resource "terraform_data" "cluster" {
  input = {
    name  = "${var.tieline.name_prefix}-k8s"
    nodes = var.nodes
    tags  = var.tieline.tags
  }
}

# Stands in for a generated credential: made once, then kept.
resource "terraform_data" "token" {
  triggers_replace = sensitive(uuid())

  lifecycle {
    ignore_changes = [triggers_replace]
  }
}

variable "nodes" {
  type = number
}

# Where this runs, and the start of every name: supplied by Tieline.
variable "tieline" {
  type = object({
    name_prefix = string
    tags        = map(string)
  })
}

output "name" {
  value = terraform_data.cluster.output.name
}

output "endpoint" {
  value = "https://${terraform_data.cluster.output.name}.k8s.acme.test"
}

output "token" {
  value     = sha256(terraform_data.token.triggers_replace)
  sensitive = true
}
