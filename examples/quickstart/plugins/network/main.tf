# terraform_data stands in for the cloud's resources, so that this runs anywhere.

resource "terraform_data" "vpc" {
  input = {
    name   = "${var.tieline.name_prefix}-vpc"
    cidr   = var.cidr
    region = var.region
    tags   = var.tieline.tags
  }
}

resource "terraform_data" "subnet" {
  count = var.subnets

  input = {
    name   = "${var.tieline.name_prefix}-private-${count.index}"
    vpc_id = local.vpc_id
    cidr   = cidrsubnet(var.cidr, 4, count.index)
    tags   = var.tieline.tags
  }
}

locals {
  # Ids in the cloud's form.
  vpc_id     = "vpc-${substr(sha1(terraform_data.vpc.id), 0, 17)}"
  subnet_ids = [for subnet in terraform_data.subnet : "subnet-${substr(sha1(subnet.id), 0, 17)}"]
}
