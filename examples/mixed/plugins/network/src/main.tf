terraform {
  required_providers {
    massdriver = { source = "massdriver-cloud/massdriver" }
  }
}

resource "terraform_data" "network" {
  input = { name = var.md_metadata.name_prefix, cidr = var.cidr, tags = var.md_metadata.default_tags }
}

resource "terraform_data" "subnet" {
  count = var.subnets
  input = cidrsubnet(var.cidr, 4, count.index)
}
