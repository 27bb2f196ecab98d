variable "image" { type = string }
variable "replicas" { type = number }
variable "domain" { type = string }
variable "network" { type = object({ id = string, cidr = string }) }
variable "tieline" { type = object({ name_prefix = string, preview = bool }) }

# `name_prefix` is another one in each environment: two previews never want the same name.
locals {
  host = "${var.tieline.name_prefix}-web.${var.domain}"
}

resource "terraform_data" "service" {
  input = { image = var.image, replicas = var.replicas, network = var.network.id }
}

# Search engines have no business in a preview.
resource "terraform_data" "record" {
  input = { name = local.host, target = terraform_data.service.id, indexed = !var.tieline.preview }
}

output "url" { value = "https://${terraform_data.record.output.name}" }
